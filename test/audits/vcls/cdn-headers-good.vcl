# Takes away what nobody needs, and lets private requests pass.
vcl 4.1;

import std;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_recv {
    if (req.http.Authorization ~ "(?i)^bearer") {
        return (pass);
    }
    if (req.url ~ "\.(?:css|js)$") {
        unset req.http.Cookie;
    }
    set req.url = std.querysort(req.url);
}

sub vcl_hash {
    hash_data(req.url);
    hash_data(req.http.host);
    hash_data(req.http.Accept);
    return (lookup);
}

sub vcl_backend_response {
    if (bereq.url ~ "\.(?:css|js)$") {
        unset beresp.http.Cache-Control;
        unset beresp.http.ETag;
        set beresp.ttl = 1d;
    }
    set beresp.grace = 0s;
    if (beresp.http.Content-Type ~ "^text/event-stream") {
        set beresp.ttl = 10s;
        set beresp.do_stream = true;
        return (deliver);
    }
    if (!beresp.http.Cache-Control) {
        set beresp.ttl = 0.9s;
    }
}

sub vcl_deliver {
    unset resp.http.Via;
    unset resp.http.X-Varnish;
    set resp.http.X-Cache = "hit";
}
