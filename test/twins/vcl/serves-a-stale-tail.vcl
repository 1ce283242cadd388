# Broken on purpose: it collapses, and keeps the tail's answer for a minute.
vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "4437"; }
sub vcl_backend_response {
    if (bereq.url !~ "live=") { unset beresp.http.Cache-Control; set beresp.ttl = 60s; return (deliver); }
}
