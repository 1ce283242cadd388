vcl 4.1;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_hash { # ! note cdn-urls
    hash_data(req.url);
}

sub vcl_backend_response {
    set beresp.grace = 0s;
    set beresp.ttl = 0.9s;
    return (deliver);
}
