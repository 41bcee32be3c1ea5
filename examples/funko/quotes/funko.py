"""Tells something wise, from the Debian package that the runtime was asked to install."""

import subprocess

from flask import Flask

app = Flask("quotes")


@app.route("/")
def index():
    quote = subprocess.run(["/usr/games/fortune", "-s"], capture_output=True, text=True, check=True, timeout=10).stdout
    return quote, 200, {"Content-Type": "text/plain; charset=utf-8"}


@app.route("/ping")
def ping():
    return "OK\n"
