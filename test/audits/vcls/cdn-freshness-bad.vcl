vcl 4.1;

import std;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_recv { set req.url = std.querysort(req.url); }

sub vcl_backend_response {
    set beresp.ttl = 2m; # ! error cdn-freshness
    set beresp.grace = 1h; # ! error cdn-freshness
    if (beresp.http.Content-Type ~ "event-stream") {
        set beresp.ttl = 55s;
    }
    return (deliver);
}
