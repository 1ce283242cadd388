# Broken on purpose: everything is passed as it is, but for the ETag.
vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "4437"; }
sub vcl_recv { return (pass); }
sub vcl_deliver { unset resp.http.ETag; }
