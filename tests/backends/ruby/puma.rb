# One process, a few threads, and connections that stay open.
threads 4, 4
workers 0
persistent_timeout 60
log_requests false
quiet
