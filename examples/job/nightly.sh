#!/bin/sh
# Writes the invoices of the accounts in accounts.txt to invoices.jsonl. Run it in the folder of these files.
set -u

# Saved accounts of a run that failed long ago are too old to be continued.
find . -maxdepth 1 -name 'invoices.jsonl.part*' -mmin +1200 -delete

talkdesk-bridge invoices --accounts-file accounts.txt --output invoices.jsonl --quiet
status=$?

case $status in
    0) ;;
    5) echo "The bridge failed. The next call requests only the accounts that are missing." >&2 ;;
    7) echo "Accounts failed that another call may not cure. See the messages above." >&2 ;;
    *) echo "Exit status $status. See the message above." >&2 ;;
esac
exit $status
