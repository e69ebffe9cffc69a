#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os, ssl, sys, threading, urllib.request

url = os.environ["CHURN_URL"]  # http://python.churn.test:4711/python/
trust = ssl.create_default_context(cafile=os.environ["CHURN_CA_FILE"] or None)
output = threading.Lock()


def get(request, left):
    try:
        with urllib.request.urlopen(url + request, timeout=left, context=trust) as response:
            answer = "ok " + request + " " + response.read().decode()
    except Exception as error:  # also an HTTPError, for every status but 200
        answer = "fail " + request + " " + repr(error)
    with output:  # whole lines, at once
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


for line in sys.stdin:
    word, request, microseconds = line.split()
    left = max(0.001, int(microseconds) / 1e6)
    # As the load is open, an answer must not be waited for before the next request.
    threading.Thread(target=get, args=(request, left), daemon=True).start()
