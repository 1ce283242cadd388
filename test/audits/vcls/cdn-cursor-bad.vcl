vcl 4.1;

import std;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_recv { set req.url = std.querysort(req.url); }

sub vcl_hash {
    # "The cursor only spoils the hit rate."
    hash_data(std.querysort(regsub(req.url, "[?&]cursor=[^&]*", ""))); # ! error cdn-cursor
    hash_data(req.http.host);
    return (lookup);
}

sub vcl_backend_response {
    set beresp.grace = 0s;
    set beresp.ttl = 0.9s;
    return (deliver);
}
