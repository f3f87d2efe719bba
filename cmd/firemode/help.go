package main

import "github.com/alecthomas/kong"

// helpTexts returns the help of the flags whose text does not fit on the line of the field. A field
// refers to it as ${help_NAME}; kong expands ${default} in the field only.
func helpTexts() kong.Vars {
	return kong.Vars{
		"help_data": "Folder of the database, the keys and other files",
		"help_db_url": "Use this PostgreSQL database, e.g. postgres://user@host/firemode. " +
			"Without it, the data folder holds a SQLite database.",
		"help_keys": "Folder of the signing keys, the same for every node; by default DATA/keys.",

		"help_addr":         "Address to listen on; port 0 picks a free port",
		"help_tls_cert":     "Certificate chain (PEM); together with --tls-key, serves HTTPS.",
		"help_metrics_addr": "Serve /metrics, and profiles at /debug/pprof/, here instead of on the main listener.",
		"help_metrics_sessions": "Number of sessions with metric series of their own; " +
			"further sessions replace the least recently used",
		"help_max_connections": "Maximum number of open connections; further ones wait; 0 for no limit",
		"help_shed_after": "Refuse further writes with 503 once the first write in a queue " +
			"has waited this long",
		"help_body_memory": "Memory for the bodies of all requests before decoding; " +
			"without room, further ones are refused with 503",
		"help_role": "Task of this process: api, worker (background jobs, health and metrics) " +
			"or all",
		"help_min_free":     "Not ready with less free space on the disk of the data folder",
		"help_drain_delay":  "Time between reporting not ready and refusing new connections in a stop",
		"help_stop_timeout": "Time that a stop gives to running requests",

		"help_load_users":     "Virtual users, each with a connection of its own",
		"help_load_duration":  "Time during which requests start, the ramp included",
		"help_load_rate":      "Start N requests per second regardless of responses, over the connections of --users.",
		"help_load_saturate":  "Raise the rate from --rate (200) until the p95 limit breaks; report the last good one.",
		"help_load_devices":   "Share of the users, 0 to 1, that submit as devices which number their batches.",
		"help_load_timeout":   "Time after which a request counts as failed",
		"help_load_accounts":  "Users that log in: a username, a space and a password on each line.",
		"help_mark":           "Restore nothing; begin a new epoch on a database restored by e.g. pg_restore.",
		"help_verify_session": "Only this session; needs --org if there are several organisations.",
		"help_proof_file":     "The proof, unchanged, as GET /v1/tests/sessions/{id}/proof returned it.",
		"help_proof_key":      "Public key of the installation, as printed there by firemode history-key.",
		"roles":               "admin,manager,technician,engineer,owner",
		"help_role_of_user":   "admin, manager, technician, engineer or owner.",
	}
}
