-- wrk: classify what was seen. TOKENS holds access tokens, one to a line.
local tokens, n = {}, 0
for line in io.lines(os.getenv("TOKENS")) do tokens[#tokens + 1] = line end
request = function()
	n = n + 1
	return wrk.format("POST", "/v1/classify", {
		["Authorization"] = "Bearer " .. tokens[n % #tokens + 1],
		["Content-Type"] = "application/json",
	}, '{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}')
end
