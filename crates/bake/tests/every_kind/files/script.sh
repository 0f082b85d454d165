#!/bin/sh
echo "script $0 $1" | sed "s/ansible-tmp-[^/]*/tmp/"
echo "$PLAY_WORD" >&2
pwd
