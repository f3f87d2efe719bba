-- wrk: create a record of one short text.
local n = 0
request = function()
	n = n + 1
	return wrk.format("POST", "/api/collections/bench/records", {["Content-Type"] = "application/json"}, string.format('{"title":"reading %d"}', n))
end
