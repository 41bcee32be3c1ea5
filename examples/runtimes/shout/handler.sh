#!/bin/bash
# Says what it is sent, loudly.
set -euo pipefail

tr '[:lower:]' '[:upper:]'
