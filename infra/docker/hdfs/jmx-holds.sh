#!/usr/bin/env bash
# jmx-holds.sh <port> <bean> <text>: succeeds when the JMX page of a Hadoop daemon on this host shows the text. It needs
# nothing but bash, since the images bring neither curl nor wget for certain.
set -euo pipefail
exec 3<>"/dev/tcp/localhost/$1"
printf 'GET /jmx?qry=Hadoop:service=%s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
grep -qF -- "$3" <&3
