# Broken on purpose: all offsets of a stream are one object.
vcl 4.1;
import std;
backend origin { .host = "127.0.0.1"; .port = "4437"; }
sub vcl_hash {
    hash_data(regsub(req.url, "\?.*$", ""));
    hash_data(req.http.host);
    return (lookup);
}
sub vcl_backend_response { set beresp.ttl = 30s; }
