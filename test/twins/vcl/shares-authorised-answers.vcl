# Broken on purpose: what was asked for with Authorization is shared.
vcl 4.1;
sub vcl_recv {
    if (req.restarts == 0) {
        set req.http.X-Authorization = req.http.Authorization;
        unset req.http.Authorization;
    }
}
sub vcl_backend_fetch { set bereq.http.Authorization = bereq.http.X-Authorization; }
include "../../../varnish/recommended.vcl";
