# Marketing's parameters go, those of the protocol stay.
vcl 4.1;

import std;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_recv {
    set req.url = regsuball(req.url, "(utm_[a-z]+|gclid)=[^&]*&?", "");
    set req.url = regsub(req.url, "[?&]$", "");
    set req.url = std.querysort(req.url);
}

sub vcl_backend_response {
    set beresp.grace = 0s;
    set beresp.ttl = 0.9s;
    return (deliver);
}
