#!/usr/bin/env bash
# Makes postgres-v1.tar.zst: a PostgreSQL database of release 1 after a busy day, its keys, and what release 1 answers:
#
#   make-postgres.sh RELEASE_1_BINARY [ARCHIVE]
#
# It starts a throwaway cluster and a server of that binary on it. Every request names the status that it must be
# answered with, so an archive that was written holds what is said below. It needs bash, curl, jq, gzip, zstd, GNU tar
# and Debian's PostgreSQL.
set -euo pipefail
umask 077

[[ $# == 1 || $# == 2 ]] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
release=$(realpath "$1")
archive=$(realpath "${2:-$(dirname "$0")/postgres-v1.tar.zst}")
shopt -s nullglob
found=(/usr/lib/postgresql/*/bin)
bin=$(printf '%s\n' "${found[@]}" | sort -V | tail -1)
export OTEL_SDK_DISABLED=true

work=$(mktemp -d)
cluster=$work/cluster url="postgres://firemode@/firemode?host=$work/cluster"
storage=(--data "$work/data" --keys "$work/keys" --db-url "$url")
server=
cd "$work"

# PostgreSQL refuses to be root.
as_postgres=()
((EUID)) || as_postgres=(runuser -u postgres --)
clean() {
  [[ -z $server ]] || kill "$server" || true
  "${as_postgres[@]}" "$bin/pg_ctl" stop -s -m immediate -D "$cluster/data" || true
  rm -rf "$work"
}
trap clean EXIT
mkdir "$cluster"
((EUID)) || { chmod 711 "$work"; chown postgres "$cluster"; }
"${as_postgres[@]}" "$bin/initdb" -D "$cluster/data" -U firemode --auth=trust --encoding=UTF8 \
  --locale=C --locale-provider=icu --icu-locale=en-AU --no-sync --no-instructions >/dev/null
"${as_postgres[@]}" "$bin/pg_ctl" start -s -w -D "$cluster/data" -l "$cluster/log" \
  -o "-k $cluster -c listen_addresses= -c fsync=off"
"$bin/createdb" -h "$cluster" -U firemode firemode

# start COMMAND: serves, and says in api where.
start() {
  mkfifo "$work/said"
  "$release" "$1" --addr 127.0.0.1:0 --log-level warn "${storage[@]}" >"$work/said" 2>>"$work/log" &
  server=$!
  exec 3<"$work/said"
  rm "$work/said"
  api=
  while [[ -z $api ]] && read -r line <&3; do
    [[ $line != "listening on "* ]] || api=${line#listening on }
  done
  [[ -n $api ]] || { cat "$work/log" >&2; exit 1; }
}
stop() {
  kill "$server"
  wait "$server"
  server=
  exec 3<&-
}

declare -A token
login() {
  token[$1]=$(curl -sS "$api/v1/auth/login" --json "{\"username\": \"$1\", \"password\": \"${2:-firemode-demo}\"}" |
    jq -er .access_token)
}

# ask STATUS USER METHOD PATH [curl option]...: prints the answer, which must have the status.
ask() {
  local want=$1 user=$2 method=$3 path=$4 got
  shift 4
  got=$(curl -sS -o "$work/answer" -D "$work/header" -w '%{http_code}' -X "$method" "$api/v1$path" \
    -H "Authorization: Bearer ${token[$user]}" "$@")
  [[ $got == "$want" ]] || { echo "$user $method $path: $got, want $want: $(<"$work/answer")" >&2; exit 1; }
  cat "$work/answer"
}
quiet() { ask "$@" >/dev/null; }

# batch USER SESSION CLIENT NUMBER CLOCK CHANGES [member of _sync_meta]: posts what a phone brings. The answer must have
# the status in $status (200); the key is $key, by default one of the batch's own.
batch() {
  local meta
  meta=$(jq -nc --arg client "$3" --argjson number "$4" --argjson clock "$5" --argjson more "${7:-null}" \
    '{client_id: $client, batch_id: "\($client)-\($number)", vector_clock: ($clock + {($client): $number})}
      + (if $number > 1 then {prev_batch_id: "\($client)-\($number - 1)"} else {} end) + $more')
  # The changes do not pass through jq: it would write their numbers in another way.
  quiet "${status:-200}" "$1" POST "/tests/sessions/$2/results" -H "Idempotency-Key: ${key:-$3-$4}" \
    --json "{\"changes\": $6, \"_sync_meta\": $meta}"
}
# shown USER SESSION CLIENT: gives the document to a phone, and prints its clock.
shown() {
  quiet 200 "$1" GET "/tests/sessions/$2/results" -H "X-Client-ID: $3"
  jq -c .vector_clock "$work/answer"
}
etag() { sed -n 's/^[Ee][Tt][Aa][Gg]: *\(.*\)\r$/\1/p' "$work/header"; }
# change USER PATH BODY: a PATCH of what was just read; it must be answered with $status (200).
change() {
  quiet 200 "$1" GET "$2"
  quiet "${status:-200}" "$1" PATCH "$2" -H "If-Match: $(etag)" --json "$3"
}
is() { jq -e "$1" "$work/answer" >/dev/null || { echo "not so: $1: $(<"$work/answer")" >&2; exit 1; }; }
replayed() { grep -qi '^idempotency-replayed: true' "$work/header"; }

start demo
for user in admin manager tech1 tech2 engineer owner; do login "$user@demo"; done
login admin@other
login tech1@other
A=admin@demo M=manager@demo T1=tech1@demo T2=tech2@demo E=engineer@demo O=owner@demo

# A register, users, tokens, and a rule of the organisation's own.
quiet 201 $M POST /buildings --json '{"building_id": "boat-shed", "site_name": "Boat Shed",
  "site_address": "3 Quay Street, Sydney"}'
cat >register.csv <<'CSV'
Asset ID,Type,Level,Location,Status
FE-001,Extinguisher ABE 4.5kg,G,beside the door,in service
FE-002,Extinguisher CO2 5kg,ground,switchboard,In Service
FE-003,Halon 1211 bottle,G,office,in service
CSV
quiet 200 $M POST /buildings/boat-shed/assets/import -H 'Content-Type: text/csv' --data-binary @register.csv
is '.created == 2 and (.rejected | length) == 1'
change $M /buildings/boat-shed/assets/FE-002 \
  '{"location": "switchboard, left", "serial": "Ü-0815", "barcode": "93000017"}'
quiet 201 $A POST /users --json '{"user_id": "jo", "username": "jo@demo", "full_name": "Jo", "role": "technician",
  "password": "jo-of-the-demo"}'
login jo@demo jo-of-the-demo
quiet 201 $A POST /users --json '{"username": "gone@demo", "role": "technician", "password": "gone-of-the-demo"}'
gone=$(jq -r .user_id answer)
login gone@demo gone-of-the-demo
change $A "/users/$gone" '{"disabled": true}'
quiet 401 gone@demo GET /users/me
quiet 204 $O POST /auth/logout
quiet 401 $O GET /users/me
quiet 200 $E GET /rules/AS1851-2012-FE-02
jq -c 'del(.created_at, .created_by, .active, .deactivated_at) | .version = "0.2.0" | .note = "of our own"' \
  answer >rule.json
quiet 201 $A POST /rules --json @rule.json
for seen in FE-01:pressure_low FE-02:obstructed GN-02:logbook_missing; do
  quiet 200 $T1 POST /classify \
    --json "{\"item_code\": \"AS1851-2012-${seen%:*}\", \"observed_condition\": \"${seen#*:}\"}"
done
quiet 200 $T1 POST /classify --json '{"item_code": "AS1851-2012-FE-01", "observed_condition": "pressure_low",
  "scope": {"only_unit_in_area": true}}'

# Session 123: clients that know nothing of numbers, a replay, and a dispute that stays open.
naive() { quiet "$1" "$2" POST /tests/sessions/123/results -H "Idempotency-Key: $3" --json "{\"changes\": $4}"; }
for i in {1..12}; do
  naive 200 $T1 "naive-$i" '[{"op": "set", "path": "/bar", "value": '"$i"'},
    {"op": "set", "path": "/test", "value": "data"}]'
done
naive 200 $T1 naive-12 '[{"op": "set", "path": "/bar", "value": 12}, {"op": "set", "path": "/test", "value": "data"}]'
replayed
naive 409 $T1 naive-12 '[]'
naive 200 $T2 other-1 '[{"op": "set", "path": "/bar", "value": 12.50},
  {"op": "set", "path": "/items/FE-018/outcome", "value": "pass"}, {"op": "set", "path": "no pointer", "value": 1}]'
is '[.results[].status] == ["applied", "applied", "rejected"]'

# Session boat-shed-1: in dispute, settled, completed, brought late, reopened, in dispute again.
quiet 201 $M POST /tests/sessions --json '{"session_id": "boat-shed-1", "building_id": "boat-shed",
  "session_name": "Six-monthly service", "frequency": "six_monthly"}'
quiet 200 $T1 GET /tests/sessions/boat-shed-1/offline_bundle -H 'X-Client-ID: phone-1'
quiet 200 $T2 GET /tests/sessions/boat-shed-1/offline_bundle -H 'X-Client-ID: phone-2'
batch $T1 boat-shed-1 phone-1 1 '{}' '[{"op": "set", "path": "/items/FE-001/outcome", "value": "pass"},
  {"op": "set", "path": "/items/FE-001/measurements/handle_height_mm", "value": 1180,
    "instrument": {"id": "T-4", "calibrated_until": "2027-03-01"}},
  {"op": "set", "path": "/items/FE-002/outcome", "value": "fail"},
  {"op": "set", "path": "/items/FE-002/conditions/AS1851-2012-FE-01/pressure_low", "value": true},
  {"op": "set", "path": "/items/FE-002/scope/AS1851-2012-FE-01/only_unit_in_area", "value": true}]' \
  '{"captured_at": "2026-11-20T03:10:00Z", "client_type": "android"}'
is '.applied == 5'
second=(boat-shed-1 phone-2 1 '{}' '[{"op": "set", "path": "/items/FE-001/outcome", "value": "pass"},
  {"op": "set", "path": "/items/FE-001/measurements/handle_height_mm", "value": 1230},
  {"op": "set", "path": "/items/site-GN/outcome", "value": "pass"}]' '{"captured_at": "2026-11-20T03:25:00Z"}')
batch $T2 "${second[@]}"
is '.applied == 3 and (.conflicts | length) == 1'
batch $T2 "${second[@]}"
replayed
key=again batch $T2 "${second[@]}"
is '.applied == 0 and .duplicates == 3'
copy='[{"op": "set", "path": "/items/site-GN/outcome", "value": "fail"}]'
key=copied status=409 batch $T2 boat-shed-1 phone-2 1 '{}' "$copy" '{"batch_id": "copy"}'
is 'has("fresh_client_id")'
status=409 change $M /tests/sessions/boat-shed-1 '{"status": "completed"}'
clock=$(shown $T1 boat-shed-1 phone-1)
settled=$(jq -c '[(.conflicts[0] | {op: "resolve", path, conflict_id: .id, dots: [.values[].dot], value: 1180,
    reason: "measured again together"}),
  {op: "set", path: "/items/site-EP/outcome", value: "not_tested"},
  {op: "set", path: "/items/site-EP/reason", value: "office closed"},
  {op: "set", path: "/items/site-PS/outcome", value: "not_applicable"}]' answer)
batch $T1 boat-shed-1 phone-1 2 "$clock" "$settled"
is '.applied == 4 and .conflicts == []'
change $M /tests/sessions/boat-shed-1 '{"status": "completed"}'
is '.status == "completed" and .done_count == 5'
batch $T2 boat-shed-1 phone-2 2 '{"phone-1": 1}' '[{"op": "correct", "dot": "phone-2:1:1",
    "path": "/items/FE-001/measurements/handle_height_mm", "value": 1185, "reason": "the tape was folded"},
  {"op": "set", "path": "/items/FE-001/note", "value": "late, but whole"}]'
is '.status == "late"'
quiet 200 jo@demo POST /tests/sessions/boat-shed-1/results -H 'Content-Type: application/x-ndjson' \
  -H 'Idempotency-Key: lines' --data-binary \
'{"_sync_meta": {"client_id": "tablet-7", "batch_id": "tablet-7-1", "vector_clock": {"tablet-7": 1}}}
{"op": "set", "path": "/items/FE-002/note", "value": "brought in lines"}
{"op": "increment", "path": "/visits", "delta": 1}
'
is '.status == "late"'
change $M /tests/sessions/boat-shed-1 '{"status": "reopened", "reason": "two phones were in the van"}'
is '.status == "reopened"'
clock=$(shown jo@demo boat-shed-1 tablet-7)
batch jo@demo boat-shed-1 tablet-7 2 "$clock" '[{"op": "increment", "path": "/visits", "delta": 2},
  {"op": "append", "path": "/log", "value": "home"},
  {"op": "set", "path": "/items/site-GN/conditions/AS1851-2012-GN-02/logbook_missing", "value": 1},
  {"op": "set", "path": "/items/site-GN/outcome", "value": "fail"}]'
is '.applied == 4'

# Session boat-shed-2: completed with a gap, and with batches that wait to be let in.
quiet 201 $M POST /tests/sessions --json '{"session_id": "boat-shed-2", "building_id": "boat-shed",
  "session_name": "Monthly service", "frequency": "monthly", "technician_ids": ["tech1", "tech2"]}'
quiet 200 $M GET '/tests/sessions/boat-shed-2/items?limit=100'
everything=$(jq -c '[.data[] | {op: "set", path: "/items/\(.item_id)/outcome", value: "pass"}]' answer)
batch $T1 boat-shed-2 phone-3 1 '{}' "$everything"
batch $T1 boat-shed-2 phone-3 3 '{}' '[{"op": "set", "path": "/x", "value": 3}]'
is '.missing == [[2, 2]]'
status=409 change $M /tests/sessions/boat-shed-2 '{"status": "completed"}'
change $M /tests/sessions/boat-shed-2 '{"status": "completed", "accept_gaps": true,
  "reason": "the phone fell into the tank"}'
batch $T2 boat-shed-2 phone-4 1 '{}' '[{"op": "set", "path": "/x", "value": 4},
  {"op": "remove", "path": "/items/site-GN"}]'
batch $T1 boat-shed-2 phone-3 4 '{}' '[{"op": "set", "path": "/x", "value": 5}]'
is '.status == "late"'

# Session yearly-1, which the demo left in dispute over one reading: every kind of conflict, a gap, a wrong clock, and
# values of every kind.
batch $T1 yearly-1 tablet-8 1 '{}' '[{"op": "set", "path": "/k/value", "value": 1.50},
  {"op": "set", "path": "/k/removed", "value": "mine"}, {"op": "set", "path": "/k/type", "value": "many"},
  {"op": "set", "path": "/k/shape", "value": {"a": 1, "b": [true, null, {}, []]}},
  {"op": "append", "path": "/k/list", "value": {"at": "L05", "n": -0.0}},
  {"op": "set", "path": "/k/a~1b~0c", "value": "Ångström \ud83d\udd25 \u0000"},
  {"op": "set", "path": "/k/big", "value": 1234567890123456789012345678.000001},
  {"op": "set", "path": "/k/small", "value": 1E-7}]' \
  '{"captured_at": "2031-01-01T00:00:00+11:00", "sent_at": "2031-01-01T00:30:00+11:00"}'
is '.applied == 8'
batch $T2 yearly-1 tablet-9 1 '{"tablet-8": 99}' '[{"op": "set", "path": "/k/value", "value": 2},
  {"op": "remove", "path": "/k/removed"}, {"op": "set", "path": "/k/shape", "value": "flat"},
  {"op": "increment", "path": "/k/type", "delta": 2}, {"op": "append", "path": "/k/list", "value": 7}]'
is '.applied == 5 and .flags == ["clock_clamped"]'
quiet 200 $M GET /tests/sessions/yearly-1/results
is '[.conflicts[].kind] | unique == ["removed", "shape", "type", "value"]'
batch $T2 yearly-1 tablet-9 4 '{}' '[{"op": "set", "path": "/items/FE-020/outcome", "value": "fail"},
  {"op": "set", "path": "/items/FE-020/conditions/AS1851-2012-FE-02/obstructed", "value": 2}]'
is '.missing == [[2, 3]]'
batch $T1 yearly-1 tablet-8 2 '{}' '[{"op": "set", "path": "/k/value", "value": 1.75}]'
for i in {3..40}; do
  batch $T1 yearly-1 tablet-8 "$i" '{}' '[{"op": "set", "path": "/k/rounds/r'$((i % 7))'", "value": '"$i"'},
    {"op": "increment", "path": "/k/sum", "delta": 0.1}]'
done
jq -nc '{changes: [range(200) | {op: "set", path: "/k/many/m\(.)", value: (. / 8)}],
  _sync_meta: {client_id: "tablet-10", batch_id: "tablet-10-1", vector_clock: {"tablet-10": 1}}}' |
  gzip -n >many.json.gz
quiet 200 $E POST /tests/sessions/yearly-1/results -H 'Content-Type: application/json' -H 'Content-Encoding: gzip' \
  -H 'Idempotency-Key: many' --data-binary @many.json.gz
is '.applied == 200'

# Defects that were moved on, and another organisation at work.
quiet 200 $M GET '/defects?limit=100'
mapfile -t defects < <(jq -r '.data[] | select(.status == "open") | .defect_id' answer)
change $M "/defects/${defects[0]}" '{"status": "notified", "note": "owner told by letter"}'
change $M "/defects/${defects[1]}" '{"status": "rectified", "note": "six spares in the cabinet"}'
change $M "/defects/${defects[2]}" '{"status": "closed"}'
change $M "/defects/${defects[3]}" '{"note": "parts are on order \u2014 two weeks"}'
change $M "/defects/${defects[3]}" '{"status": "notified"}'
naive 200 tech1@other ours '[{"op": "set", "path": "/ours", "value": true}]'

# What is recorded as answered must have been read from the database: another process answers.
stop
start serve
login $M
mkdir want
quiet 200 $M GET '/tests/sessions?limit=100'
for session in $(jq -r '.data[].session_id' answer); do
  ask 200 $M GET "/tests/sessions/$session/results" >"want/results-$session.json"
  ask 200 $M GET "/tests/sessions/$session/sync_status" >"want/status-$session.json"
done
ask 200 $M GET /defects >want/defects.json
is '.next_cursor == null'
stop
[[ ! -s log ]] || { cat log >&2; exit 1; }
"$release" verify "${storage[@]}" | tail -1 | tee verified
grep -q ': 0 differences$' verified

# Newer pg_dumps guard their output with a random word, which older psqls do not know.
"$bin/pg_dump" --no-owner --no-privileges "$url" | sed -E '/^\\(un)?restrict /d' >dump.sql
tar --sort=name --owner=0 --group=0 --numeric-owner -cf - dump.sql keys want | zstd -q -19 -f -o "$archive"
chmod 644 "$archive"
ls -l "$archive"
