vcl 4.1;

backend origin { .host = "127.0.0.1"; .port = "4437"; }

sub vcl_recv {
    if (req.url ~ "live=") {
        return (pass); # ! error cdn-collapse
    }
    if (req.url ~ "^/v1/stream/") {
        return (pass); # ! error cdn-collapse
    }
}
