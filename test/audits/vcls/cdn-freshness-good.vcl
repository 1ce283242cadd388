# varnishd -p default_ttl=0.5
vcl 4.1;

import std;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_recv { set req.url = std.querysort(req.url); }

sub vcl_backend_response {
    if (beresp.http.Content-Type ~ "event-stream") {
        set beresp.ttl = 10s;
        return (deliver);
    }
}
