-- wrk: put one of ten thousand keys. The gateway takes base64.
local n, digits = 0, "ABCDEFGHIJ"
request = function()
	n = n + 1
	local d = string.format("%04d", n % 10000):gsub("%d", function(c) return digits:sub(c + 1, c + 1) end)
	return wrk.format("POST", "/v3/kv/put", {["Content-Type"] = "application/json"}, '{"key":"' .. d .. '","value":"cmVhZGluZyAx"}')
end
