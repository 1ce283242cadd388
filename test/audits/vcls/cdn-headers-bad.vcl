vcl 4.1;

import std;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_recv {
    set req.url = std.querysort(req.url);
    return (hash); # ! error cdn-headers, error cdn-headers
}

sub vcl_backend_response {
    if (bereq.url ~ "^/v1/stream/") {
        unset beresp.http.Cache-Control; # ! error cdn-headers
    }
    set beresp.ttl = 0.5s;
    set beresp.grace = 0s;
    return (deliver);
}

sub vcl_deliver {
    call tidy;
    if (client.ip == "192.0.2.1") {
        unset resp.http.Stream-Cursor; # ! note cdn-headers
    }
    set resp.http.Content-Type = "text/plain"; # ! error cdn-headers
}

sub tidy {
    unset resp.http.ETag; # ! error cdn-headers
}
