#!/bin/bash
# A function: what it prints is the answer, and the body of the call is its standard input.
set -euo pipefail

# shellcheck disable=SC2154 # the runtime sets them
echo "Hello from $Http_Method $Http_Path"
cat
