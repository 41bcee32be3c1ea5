# Prints what lighttpd listens on: IPv6 and IPv4, or IPv4 alone where there is no IPv6.
if [ -s /proc/net/if_inet6 ]; then
    echo 'server.bind = "[::]"'
    echo 'server.v4mapped = "enable"'
else
    echo 'server.bind = "0.0.0.0"'
fi
