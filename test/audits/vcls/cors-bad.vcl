vcl 4.1;

import std;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_recv { set req.url = std.querysort(req.url); }

sub vcl_backend_response {
    set beresp.grace = 0s;
    set beresp.ttl = 0.9s;
    return (deliver);
}

sub vcl_deliver {
    unset resp.http.Access-Control-Expose-Headers; # ! warning cors
    if (req.http.Origin !~ "^https://app\.example\.com$") {
        unset resp.http.Access-Control-Allow-Origin; # ! note cors
    }
}
