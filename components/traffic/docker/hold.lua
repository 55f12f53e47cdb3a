-- Makes requests wait while the state map says `hold <id>|<milliseconds>`. A hold ends by itself that long after
-- it was first seen, by this host's own clock, so that a killed update leaves nobody waiting for ever.
local state = Map.new(os.getenv("ROUTER_STATE"), Map._str)
local seen = { id = "", ends = 0 }

local function now()
	local time = core.now()
	return time.sec * 1000 + time.usec / 1000
end

local function holding()
	local id, length = string.match(state:lookup("hold") or "", "^([^|]+)|(%d+)$")
	if id == nil then
		return false
	end
	if seen.id ~= id then
		seen = { id = id, ends = now() + tonumber(length) }
	end
	return now() < seen.ends
end


core.register_action("hold", { "http-req" }, function()
	while holding() do
		core.msleep(2)
	end
end, 0)

-- Starts a hold's time also where no request comes.
core.register_task(function()
	while true do
		holding()
		core.msleep(100)
	end
end)

