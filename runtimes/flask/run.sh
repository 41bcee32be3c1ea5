#!/bin/sh
# One process with threads: replicas are Kubernetes' business. gunicorn finishes the calls that run when it gets SIGTERM.
exec gunicorn --bind 0.0.0.0:3000 --worker-class gthread --threads 16 --worker-tmp-dir /tmp --keep-alive 180 \
    --graceful-timeout 600 --timeout 0 funko:app
