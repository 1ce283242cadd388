# Durable Streams behind Varnish 7.1 or later: many readers, one request to the origin.
#
# How it works. Every stream has two small marker objects in the cache, made by Varnish itself: its
# "generation" and its "incarnation", each a value that is never used twice. A write that passes
# through here bans the markers before the writer has its answer; the next reader makes new ones. A
# read looks the markers up first (by restarts, without asking the origin) and then looks for its
# answer under URL + markers. So an answer whose fetch began before a write is out of reach of
# everybody who came after the write, even if that answer arrives last. Banning the answers
# themselves leaves that race open, because a ban does not touch what enters the cache later; it
# would also take the answer away from the crowd that is still being served from it.
#
# What passes through other doors (writes made directly at the origin, another cache node) is
# unknown here, and is bounded by time: no answer without a lifetime of its own is given to a
# request that arrives more than 0.998 s after the origin was asked. To choose another bound,
# replace every "0.998s" below: a crowd costs 1 + (its arrival time / bound) requests.
#
# Words in square brackets name the row of the checklist that fails without the rule; "npm run
# mutants" takes the lines out one by one and says which do. Where none can, the line says so in
# round brackets: "equivalent", nobody can tell; "unseen", somebody could, but not in its runs.
# docs/recommended-vcl.md has figures, limits, and the reasons for these parameters:
#
# varnishd -p thread_pool_max=11000
# varnishd -p thread_queue_limit=20000
# varnishd -p listen_depth=4096
# varnishd -p timeout_linger=0
# varnishd -p timeout_idle=150
# varnishd -p backend_idle_timeout=4
# varnishd -p workspace_client=40k
# varnishd -p http_req_size=16k
# varnishd -p vsl_buffer=4k
# varnishd -p ban_lurker_age=5
# varnishd -p http_gzip_support=off

vcl 4.1;

import std;

backend origin {
    .host = "127.0.0.1";
    .port = "4437";
}

# ---- What is asked ----------------------------------------------------------------------------

sub vcl_recv {
    # Before it was restarted for a marker. [cdn-freshness, cdn-collapse]
    if (req.restarts == 0) {
        # As built in: HTTP/1.1 needs a Host, and Example.com is example.com. [cdn-urls]
        call vcl_req_host; # (unseen: the clients here send a Host, in small letters)
        # Neither origin knows ranges; Varnish would cut one out of any answer, stored or passed,
        # or answer 416 where it is empty, and a slice under the headers of the whole misleads a
        # reader about its offset. [cdn-headers]
        unset req.http.Range;
        # Our own notes about a request, which a client must not write: it would swallow writes,
        # be told old things, or never share an answer. (X-Edge-Stream is written anew below.)
        # [cdn-freshness, cdn-collapse]
        unset req.http.X-Edge-Want;
        unset req.http.X-Edge-Incarnation;
        unset req.http.X-Edge-Generation;
        unset req.http.X-Edge-Doubt; # (unseen: it takes readers held at a stream that is gone)
        unset req.http.X-Edge-Aside;
        call name_the_stream;
    }

    # Writes and preflights go to the origin as they are. So does HEAD: on a miss it would become
    # a GET, and its answer tells the tail, which is never stored. [conformance, cors, cdn-headers]
    if (req.method != "GET") {
        return (pass);
    }

    # What was asked for with credentials is not shared. [cdn-headers]
    if (req.http.Authorization || req.http.Cookie) {
        return (pass);
    }

    # "now" is another place for every reader. [cdn-headers]
    if (req.url ~ "[?&]offset=now(?:&|$)") {
        return (pass);
    }

    # Spellings that this file would read differently from an origin: a path it cannot name,
    # escapes where none are needed (o%66fset, n%6Fw), a parameter given twice.
    # [cdn-freshness, cdn-collapse]
    if (req.http.X-Edge-Stream ~ "\."
        || req.url ~ "[?&](offset|live|cursor)=.*&\1=" # (unseen: no client here says it twice)
        || req.url ~ "(?i)\?.*%(?:3[0-9]|[46][1-9a-f]|[57][0-9a]|2[de]|5f|7e)" # (unseen: nobody here does so)
        ) {
        return (pass);
    }

    # First the markers, then the answer itself. [cdn-freshness, lifecycle-expires]
    if (!req.http.X-Edge-Incarnation) {
        set req.http.X-Edge-Want = "incarnation";
    } elsif (!req.http.X-Edge-Generation) {
        set req.http.X-Edge-Want = "generation";
    } elsif (req.http.X-Edge-Doubt == "yes") {
        set req.http.X-Edge-Want = "probe";
    } else {
        unset req.http.X-Edge-Want;
    }
    return (hash); # (equivalent: as built in)
}

# One name for all spellings of a path, because /a%62c and /abc are one stream at the origin and a
# write to either must be seen through both. Two streams may share a name (they then only lose
# each other's cached answers); one stream must never have two. Letters, digits and escapes beyond
# ASCII stay, every other character becomes "-" however it is spelled. What cannot be told
# becomes a piece of regular expression, known by its dot: writes then ban all that it matches,
# and reads are passed. No quote or blank is left that could break a ban. [cdn-freshness]
sub name_the_stream {
    set req.http.X-Edge-Stream = regsub(req.url, "\?.*$", "");
    # (unseen: an origin may resolve dot segments and the like; neither of those here does)
    if (req.http.X-Edge-Stream ~ "(?i)^//|[#\\]|/(?:\.|%2e){1,2}(?:/|$)") {
        set req.http.X-Edge-Stream = ".*"; # (unseen: as above)
        return; # (unseen: as above)
    }
    set req.http.X-Edge-Stream =
        regsuball(req.http.X-Edge-Stream, "[^A-Za-z0-9%\x80-\xff]", "-");
    # An escaped letter or digit, then a raw byte beyond ASCII.
    set req.http.X-Edge-Stream =
        regsuball(req.http.X-Edge-Stream, "(?i)%(?:3[0-9]|[46][1-9a-f]|[57][0-9a])", ".");
    # (unseen: the clients here escape what is beyond ASCII)
    set req.http.X-Edge-Stream = regsuball(req.http.X-Edge-Stream, "[\x80-\xff]", "...");
    # Escapes of punctuation, and %c3 for %C3.
    set req.http.X-Edge-Stream =
        std.tolower(regsuball(req.http.X-Edge-Stream, "%[2-7][0-9A-Fa-f]", "-"));
}

sub vcl_hash {
    # Markers belong to the stream, whatever host name it was reached by: a writer may use another
    # one than the readers. [cdn-freshness]
    if (req.http.X-Edge-Want == "incarnation" || req.http.X-Edge-Want == "generation") {
        hash_data(req.http.X-Edge-Want + req.http.X-Edge-Stream);
        return (lookup); # (unseen: a marker for each URL is only more work)
    }
    if (req.http.X-Edge-Want == "probe") {
        hash_data("probe");
        hash_data(regsub(req.url, "\?.*$", "")); # (unseen: it takes two streams of one marker name)
    } elsif (req.url ~ "\?(?:(?:offset|live|cursor)=[^&]*(?:&|$))+$") {
        # The order of the protocol's own parameters carries no meaning; of others it might.
        # [cdn-urls]
        hash_data(std.querysort(req.url));
    } else {
        hash_data(req.url);
    }
    hash_data(req.http.Host); # (unseen: no origin here has another stream under another name)
    hash_data(req.http.X-Edge-Incarnation);
    # Of a plain read and of an event stream the generation is a matter of the answer (see
    # tie_to_generation): an event stream outlives appends. [cdn-collapse]
    if (req.url ~ "[?&]live=" && req.url !~ "[?&]live=sse(?:&|$)") {
        hash_data(req.http.X-Edge-Generation);
    }
    hash_data(req.http.X-Edge-Aside);
    return (lookup);
}

# ---- To the origin and back -------------------------------------------------------------------

sub vcl_backend_fetch {
    # Markers are made here, the origin is not asked. [cdn-freshness, cdn-collapse]
    if (bereq.http.X-Edge-Want == "incarnation" || bereq.http.X-Edge-Want == "generation") {
        return (error(200));
    }
    # Whether the stream is still there costs the origin no body, and renews no TTL.
    # [cdn-collapse, lifecycle-expires]
    if (bereq.http.X-Edge-Want == "probe") {
        set bereq.method = "HEAD";
        set bereq.url = regsub(bereq.url, "\?.*$", ""); # (unseen: no origin here heeds it)
    }

    # The edge never revalidates for itself. An ETag made of the offset alone stays the same when
    # a stream is closed, or made anew with as many bytes: a 304 would bring the old body back.
    # Clients' own If-None-Match is answered from what the origin says in full.
    # [cdn-headers, lifecycle-expires]
    if (!bereq.uncacheable) {
        unset bereq.http.If-None-Match;
        unset bereq.http.If-Modified-Since; # (unseen: no origin here says Last-Modified)
    }

    # A quiet long-poll ends after 30 s, a quiet event stream after 60 s, which is also Varnish's
    # own patience: the edge must not be the one that gives up. [cdn-collapse, client-errors]
    # (unseen: it takes a stream that is quiet for a minute)
    if (bereq.url ~ "[?&]live=") {
        set bereq.first_byte_timeout = 150s; # (unseen: as above)
        set bereq.between_bytes_timeout = 150s; # (unseen: as above)
    }
}

sub vcl_backend_response {
    # stale-while-revalidate allows one stale answer, grace would give it to everybody.
    # [cdn-freshness]
    set beresp.grace = 0s;

    if (bereq.uncacheable) {
        return (deliver);
    }

    # Keep is not for revalidation: it holds an answer that has expired for newcomers until the
    # crowd that waited for it has been served. Being as long as the parameter "shortlived", it
    # also puts the answer into the bounded storage. [cdn-collapse, lifecycle-expires]
    if (bereq.http.X-Edge-Want == "probe") {
        set beresp.http.X-Edge-Id = bereq.xid; # (unseen: it takes a path that goes twice)
        set beresp.keep = 10s; # (unseen: it takes thousands that wait)
        call bound_lifetime;
        return (deliver);
    }

    # An open event stream is shared while it lasts: a newcomer gets it from its beginning, which
    # is the offset it asked for. Only for a request that asked for one: a stream can itself be of
    # type text/event-stream, and its plain answers carry Stream-Next-Offset (either would do). The
    # lifetime limits how much a newcomer must replay; vcl_deliver sees to it that the stream is
    # still open. That the answer is passed on while it comes is Varnish's default.
    # [cdn-collapse, cdn-freshness, cdn-cursor]
    if (bereq.url ~ "[?&]live=sse(?:&|$)"
        && beresp.status == 200
        && beresp.http.Content-Type ~ "(?i)^text/event-stream"
        && !beresp.http.Stream-Next-Offset
        && !beresp.http.Set-Cookie
        && beresp.http.Vary !~ "\*"
        && beresp.http.Cache-Control !~ "(?i)(?:^|[,\s])(?:private|no-store)") {
        set beresp.http.X-Edge-Live = bereq.xid;
        set beresp.ttl = 60s; # (unseen: no event stream here lasts as long as Varnish's own 2 min)
        return (deliver);
    }

    # Not to be shared: by the origin's word, because it is about the one who asked, or because it
    # is no stream's answer and has no lifetime. The second for which this is remembered lets
    # private readers through side by side, and does not end the sharing of a URL for long after
    # a single such answer. [cdn-headers, cdn-collapse]
    if (beresp.http.Set-Cookie
        || beresp.http.Vary ~ "\*" # (unseen: no origin here says so)
        || beresp.http.Cache-Control ~ "(?i)(?:^|[,\s])(?:private|no-store|no-cache)"
        || beresp.http.Surrogate-Control ~ "(?i)no-store" # (unseen: no origin here says so)
        || beresp.status == 401 # (unseen: no origin here says so to readers that would share it)
        || beresp.status == 403 # (unseen: as above)
        || beresp.status == 407 # (unseen: as above)
        || (beresp.status == 200
            && !beresp.http.Stream-Next-Offset
            && !beresp.http.Expires
            && beresp.http.Cache-Control !~ "(?i)max-?age=")) {
        set beresp.uncacheable = true;
        set beresp.ttl = 1s; # (unseen: no origin here is private for once)
        return (deliver); # (equivalent: what follows is about what is shared)
    }

    set beresp.keep = 10s; # (unseen: it takes thousands that wait)
    if (beresp.status == 200 # (unseen: the origins here give a lifetime only in a race)
        && (beresp.http.Expires || beresp.http.Cache-Control ~ "(?i)max-?age=")) {
        # The origin gave a lifetime, and Varnish has read it. None left: for those who wait.
        if (beresp.ttl < 0.001ms) { # (unseen: no origin here says max-age=0)
            set beresp.ttl = 0.001ms; # (unseen: as above)
        }
        # A piece of history stays right when the stream grows. [cdn-collapse]
        # (unseen: the origins here read to the tail, and give a lifetime only in a race)
        if (!beresp.http.Stream-Up-To-Date && !beresp.http.Stream-Closed) {
            return (deliver); # (unseen: as above)
        }
    } elsif (beresp.status >= 500 || beresp.status == 429 # (unseen: no origin here refuses at once)
        || (beresp.status == 204 && !beresp.http.Stream-Closed)) {
        # Trouble, and "nothing new so far": for those who wait, and nobody after them.
        # Zero would be for nobody, and they would ask one after the other.
        # [cdn-freshness, cdn-cursor]
        set beresp.ttl = 0.001ms;
    } else {
        # The tail, a closed stream, a missing one: no lifetime, or Varnish would take its own
        # default of two minutes. [cdn-freshness]
        call bound_lifetime;
    }
    call tie_to_generation;
    return (deliver); # (equivalent: as built in)
}

# Counted from the moment the origin was asked: what it answered was true then or later. When
# that is used up (a poll that was parked), a poll's answer has just been made. [cdn-freshness]
sub bound_lifetime {
    if (bereq.time + 0.998s > beresp.time) {
        set beresp.ttl = bereq.time + 0.998s - beresp.time;
    } elsif (bereq.url ~ "[?&]live=long-poll(?:&|$)" && beresp.status == 200) { # (unseen: it saves a request)
        set beresp.ttl = 0.9s; # (unseen: as above)
    } else { # (unseen: it takes an origin that is slow twice)
        set beresp.ttl = 0.001ms; # (unseen: as above)
    }
    set beresp.http.X-Edge-Asked = std.time2real(bereq.time, 0.0);
    set beresp.http.X-Edge-Id = bereq.xid; # (unseen: it takes an origin that is slow twice)
}

# A plain answer is found by URL alone, and by readers of its own generation only: so that the
# ones that need no generation can be found by all. So is what is answered instead of an event
# stream, a 404 before all. Of polls the generation is in the hash instead, so that nobody waits
# for one that was parked before a write. [cdn-freshness]
sub tie_to_generation {
    if (bereq.url !~ "[?&]live=" || bereq.url ~ "[?&]live=sse(?:&|$)") {
        if (beresp.http.Vary) {
            set beresp.http.X-Edge-Vary = beresp.http.Vary; # (unseen: it harms no reader)
            set beresp.http.Vary = beresp.http.Vary + ", X-Edge-Generation";
        } else {
            set beresp.http.Vary = "X-Edge-Generation";
        }
    }
}

sub vcl_backend_error {
    set beresp.grace = 0s; # [cdn-freshness]
    # A marker. Its lifetime only bounds the memory for paths nobody asks for any more.
    # [cdn-freshness, cdn-collapse]
    if (bereq.http.X-Edge-Want == "incarnation" || bereq.http.X-Edge-Want == "generation") {
        set beresp.http.X-Edge-Marker = bereq.http.X-Edge-Want + bereq.http.X-Edge-Stream;
        set beresp.http.X-Edge-Value = bereq.xid + "-" + std.time2real(now, 0.0);
        set beresp.ttl = 10m;
        return (deliver);
    }
    # The origin did not answer. Those who wait are told, the next one tries again: nothing stale
    # is served for it, and what still has a lifetime from the origin is served as before. A page
    # of another origin must be able to read the status. [cdn-freshness, cors]
    set beresp.ttl = 0.001ms; # (unseen: it takes thousands that wait)
    set beresp.keep = 10s; # (unseen: it takes thousands that wait)
    set beresp.http.Content-Type = "text/plain; charset=utf-8"; # (unseen: nobody here reads the body)
    set beresp.http.Cache-Control = "no-store"; # (unseen: no cache stands in front of this one)
    set beresp.http.Access-Control-Allow-Origin = "*";
    set beresp.http.Retry-After = "1"; # (unseen: every client waits by itself)
    # The client in that page waits that long, if it may read it. [cors]
    set beresp.http.Access-Control-Expose-Headers = "Retry-After";
    synthetic("the origin did not answer"); # (unseen: nobody here reads the body)
    return (deliver); # (unseen: what is built in has another body and Retry-After)
}

# ---- To the client ----------------------------------------------------------------------------

# [cdn-freshness, cdn-collapse]
sub vcl_deliver {
    if (req.method != "GET") {
        call forget_after_write;
        return (deliver); # (equivalent: nothing below concerns it)
    }
    if (req.http.X-Edge-Want) {
        call take_note;
        return (restart);
    }

    # An event stream that has ended is history: only those who waited for it get it. Everybody
    # else asks for a new one, together. [cdn-freshness, cdn-cursor]
    if (resp.http.X-Edge-Live && obj.hits > 0 && req.time > obj.time) {
        if (!resp.is_streaming) {
            ban("obj.http.X-Edge-Live == " + resp.http.X-Edge-Live);
            return (restart);
        }
        # Open, but asked for a while ago: is the stream still there? [cdn-freshness]
        # (unseen: the production server ends event streams with their stream)
        if (req.time - obj.time > 0.998s && !req.http.X-Edge-Doubt) {
            set req.http.X-Edge-Doubt = "yes";
            return (restart); # (unseen: as above)
        }
    }

    # An origin slower than the bound: who came too late for this answer asks again, together
    # with the others it was too old for. A little above the bound: the time was kept in
    # milliseconds. [cdn-freshness]
    if (resp.http.X-Edge-Asked && obj.hits > 0 && req.url !~ "[?&]live="
        && !req.http.X-Edge-Aside
        && req.time - std.real2time(std.real(resp.http.X-Edge-Asked, 0.0), now) > 0.999s) {
        set req.http.X-Edge-Aside = resp.http.X-Edge-Id;
        return (restart);
    }

    # Leave the headers as the origin sent them. Varnish promises ranges, see above.
    # [cdn-headers]
    if (resp.http.X-Edge-Vary) { # (unseen: a Vary that says more harms no reader)
        set resp.http.Vary = resp.http.X-Edge-Vary; # (unseen: as above)
    } elsif (resp.http.Vary == "X-Edge-Generation") { # (unseen: a Vary that says more harms no reader)
        unset resp.http.Vary; # (unseen: as above)
    }
    if (req.http.X-Edge-Incarnation) { # (unseen: no reader here asks for a range)
        unset resp.http.Accept-Ranges; # (unseen: as above)
    }
    unset resp.http.X-Edge-Vary; # (unseen: it harms no reader)
    unset resp.http.X-Edge-Live;
    unset resp.http.X-Edge-Asked;
    unset resp.http.X-Edge-Id;
    return (deliver); # (equivalent: as built in)
}

# What a marker or a probe has told. [cdn-freshness, cdn-collapse]
sub take_note {
    if (req.http.X-Edge-Want == "incarnation") {
        set req.http.X-Edge-Incarnation = resp.http.X-Edge-Value;
    } elsif (req.http.X-Edge-Want == "generation") {
        set req.http.X-Edge-Generation = resp.http.X-Edge-Value;
        # Any poll of this generation was asked for after its marker was made. If that was long
        # ago, a poll may be parked at a stream that has expired or was deleted at the origin, and
        # the origin would not tell until the poll times out. [lifecycle-expires, cdn-freshness]
        if (req.url ~ "[?&]live=" && req.url !~ "[?&]live=sse(?:&|$)"
            && req.time - obj.time > 0.998s) {
            set req.http.X-Edge-Doubt = "yes";
        }
    } else {
        set req.http.X-Edge-Doubt = "settled";
        if (resp.status == 404 || resp.status == 410) {
            # Gone, without a DELETE through this edge: leave all that was, and let the readers who
            # learned it here ask together.
            set req.http.X-Edge-Aside = resp.http.X-Edge-Id;
            # (unseen: it takes a path made anew while readers are held at the stream before)
            if (obj.hits == 0) {
                # (unseen: as above)
                ban("obj.http.X-Edge-Marker == generation" + req.http.X-Edge-Stream);
                # (unseen: as above)
                ban("obj.http.X-Edge-Marker == incarnation" + req.http.X-Edge-Stream);
            }
        }
    }
}

# Runs when the origin has answered a write, before the writer hears of it; also when the origin's
# answer was lost, for then the write may have happened. Refused writes (4xx) changed nothing and
# leave no ban behind. [cdn-freshness, cdn-collapse]
sub forget_after_write {
    if (!req.http.X-Edge-Stream
        || req.method == "HEAD" || req.method == "OPTIONS"
        || (resp.status >= 400 && resp.status < 500)) {
        return;
    }
    if (req.http.X-Edge-Stream ~ "\.") {
        ban("obj.http.X-Edge-Marker ~ ^(?:generation|incarnation)" + req.http.X-Edge-Stream + "$");
        return; # (equivalent: the bans below find nothing of such a name)
    }
    ban("obj.http.X-Edge-Marker == generation" + req.http.X-Edge-Stream);
    # Created, deleted, or unknown: another stream from now on. An append, or a PUT that found
    # what it wanted, leaves history and open event streams alone. [cdn-freshness, cdn-collapse]
    if (req.method != "POST" && !(req.method == "PUT" && resp.status == 200)) {
        ban("obj.http.X-Edge-Marker == incarnation" + req.http.X-Edge-Stream);
    }
}

# Varnish's own refusals. A write that it gives up may have reached the origin.
# [cdn-freshness, cors]
sub vcl_synth {
    call forget_after_write; # (unseen: Varnish gives no write up in these runs)
    set resp.http.Access-Control-Allow-Origin = "*"; # (unseen: nor a read)
}
