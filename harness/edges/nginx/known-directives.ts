/**
 * What an nginx configuration may hold in the simulation. Everything else is refused: a directive that
 * nobody thought about could open a connection, run code or write a file.
 */
const words = (text: string) => new Set(text.trim().split(/\s+/))

/** They compute, compare, name or limit. Those that name places are rewritten beside. */
export const keptDirectives: ReadonlySet<string> = words(`
  worker_processes worker_connections worker_priority worker_shutdown_timeout worker_aio_requests
  events http server location upstream if map geo split_clients types limit_except
  accept_mutex accept_mutex_delay multi_accept use debug_connection thread_pool timer_resolution pcre_jit
  absolute_redirect aio aio_write chunked_transfer_encoding client_body_buffer_size
  client_body_in_single_buffer client_body_timeout client_header_buffer_size client_header_timeout
  client_max_body_size connection_pool_size default_type directio etag if_modified_since
  ignore_invalid_headers internal keepalive_disable keepalive_requests keepalive_time keepalive_timeout
  large_client_header_buffers limit_rate limit_rate_after lingering_close lingering_time lingering_timeout
  max_ranges merge_slashes msie_padding msie_refresh open_file_cache output_buffers port_in_redirect
  postpone_output read_ahead recursive_error_pages request_pool_size reset_timedout_connection satisfy
  send_lowat send_timeout sendfile sendfile_max_chunk server_name server_name_in_redirect
  server_names_hash_bucket_size server_names_hash_max_size server_tokens subrequest_output_buffer_size
  tcp_nodelay tcp_nopush types_hash_bucket_size types_hash_max_size underscores_in_headers
  variables_hash_bucket_size variables_hash_max_size map_hash_bucket_size map_hash_max_size
  root alias index try_files error_page return rewrite rewrite_log set break uninitialized_variable_warn
  allow deny auth_basic auth_request auth_request_set mirror mirror_request_body
  add_header add_trailer expires charset charset_types source_charset override_charset
  add_before_body add_after_body addition_types sub_filter sub_filter_last_modified sub_filter_once sub_filter_types
  gzip gzip_buffers gzip_comp_level gzip_disable gzip_http_version gzip_min_length gzip_proxied gzip_types
  gzip_vary gunzip gunzip_buffers userid userid_domain userid_expires userid_name userid_path
  limit_conn limit_conn_dry_run limit_conn_log_level limit_conn_status limit_conn_zone
  limit_req limit_req_dry_run limit_req_log_level limit_req_status limit_req_zone
  real_ip_header real_ip_recursive set_real_ip_from valid_referers
  hash ip_hash keepalive least_conn random zone slice stub_status
  proxy_buffer_size proxy_buffering proxy_buffers proxy_busy_buffers_size proxy_cache
  proxy_cache_background_update proxy_cache_bypass proxy_cache_convert_head proxy_cache_key
  proxy_cache_lock proxy_cache_lock_age proxy_cache_lock_timeout proxy_cache_max_range_offset
  proxy_cache_methods proxy_cache_min_uses proxy_cache_revalidate proxy_cache_use_stale
  proxy_cache_valid proxy_connect_timeout proxy_cookie_domain proxy_cookie_flags proxy_cookie_path
  proxy_force_ranges proxy_headers_hash_bucket_size proxy_headers_hash_max_size proxy_hide_header
  proxy_http_version proxy_ignore_client_abort proxy_ignore_headers proxy_intercept_errors
  proxy_limit_rate proxy_max_temp_file_size proxy_method proxy_next_upstream
  proxy_next_upstream_timeout proxy_next_upstream_tries proxy_no_cache proxy_pass_header
  proxy_pass_request_body proxy_pass_request_headers proxy_read_timeout proxy_redirect
  proxy_request_buffering proxy_send_lowat proxy_send_timeout proxy_set_body proxy_set_header
  proxy_socket_keepalive proxy_store_access proxy_temp_file_write_size
`)

/** The names inside these blocks are the user's own. */
export const blocksOfValues: ReadonlySet<string> = words('map geo split_clients types')

const tls = 'TLS ends in front of this edge'
const logs = 'nothing is written outside of the run'
const identity = "it runs as the simulation's own user"

/** Left out, each with its reason. */
export const droppedDirectives: Readonly<Record<string, string>> = {
  user: identity,
  pid: "the run has its own",
  lock_file: "the run has its own",
  daemon: 'the simulation starts and stops it',
  master_process: 'the simulation starts and stops it',
  working_directory: "the run has its own",
  worker_cpu_affinity: 'this machine is another one',
  worker_rlimit_nofile: "the limit is this machine's",
  worker_rlimit_core: "the limit is this machine's",
  error_log: logs,
  access_log: logs,
  log_format: logs,
  log_not_found: logs,
  log_subrequest: logs,
  open_log_file_cache: logs,
  client_body_temp_path: logs,
  proxy_temp_path: logs,
  fastcgi_temp_path: logs,
  scgi_temp_path: logs,
  uwsgi_temp_path: logs,
  resolver: 'names are not looked up',
  resolver_timeout: 'names are not looked up',
  proxy_bind: 'the origin is on loopback',
  http2: tls,
  http2_max_concurrent_streams: tls,
}

/** `ssl_*` and `proxy_ssl_*` are many. */
export function droppedBecause(name: string): string | undefined {
  if (Object.hasOwn(droppedDirectives, name)) return droppedDirectives[name]
  if (/^ssl(_|$)/.test(name)) return tls
  return name.startsWith('proxy_ssl_') ? 'the local origin speaks plain HTTP' : undefined
}

/** Whose module or reach is told in the refusal, where that helps. */
export function refusedBecause(name: string): string {
  if (name === 'load_module') return 'a module can do anything'
  if (/^(lua|js_|perl)/.test(name) || name.includes('_by_lua')) {
    return 'it runs code of its own'
  }
  if (/^(fastcgi|uwsgi|scgi|grpc|memcached)_/.test(name)) return 'it speaks to something else than the origin'
  if (name === 'stream' || name === 'mail') return 'only http serves streams'
  return 'it is not among the directives that are known to stay on this machine'
}
