vcl 4.1;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_hash {
    hash_data(regsub(req.url, "\?.*$", "")); # ! error cdn-cursor, error cdn-urls, error cdn-urls
    hash_data(req.http.host);
    return (lookup);
}

sub vcl_backend_response {
    set beresp.grace = 0s;
    set beresp.ttl = 0.9s;
    return (deliver);
}
