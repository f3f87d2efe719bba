-- wrk: POST of results to one session, as clients that do not count. TOKENS holds access tokens, one to a line.
local tokens, n, run = {}, 0, os.time()
for line in io.lines(os.getenv("TOKENS")) do tokens[#tokens + 1] = line end
request = function()
	n = n + 1
	return wrk.format("POST", "/v1/tests/sessions/123/results", {
		["Authorization"] = "Bearer " .. tokens[n % #tokens + 1],
		["Content-Type"] = "application/json",
		["Idempotency-Key"] = string.format("bench-%d-%d", run, n),
	}, string.format('{"changes":[{"op":"set","path":"/test","value":%d}],"_sync_meta":{"vector_clock":{}}}', n))
end
