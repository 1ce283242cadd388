# Broken on purpose: every reader goes to the origin by itself.
vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "4437"; }
sub vcl_recv { return (pass); }
