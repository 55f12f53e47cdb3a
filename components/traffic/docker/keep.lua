-- Keeps in a file where requests go, and has a router that was started again go on there by itself: nobody needs to
-- deploy for that. The map has the file's name, and in memory it may be ahead of it by as much as one look below.
local file = os.getenv("ROUTER_STATE")
local admin = os.getenv("ROUTER_ADMIN")
local slots = {}
for slot in string.gmatch(os.getenv("ROUTER_SLOTS"), "[^,]+") do
	table.insert(slots, slot)
end

local NOTHING = "none"
-- order|failures before|target group|address, as the deployment writes it
local ENTRY = "^(%d+)|%d+|([^|%s]+|http://([^:/%s]+):?(%d*))/?$"

-- What is kept: no hold, since its update has ended when this is read, and counts that begin anew with the process.
local function kept(lookup)
	local lines, active = { "hold " .. NOTHING }, NOTHING
	for _, slot in ipairs(slots) do
		local order, target = string.match(lookup(slot) or "", ENTRY)
		local entry = order and order .. "|0|" .. target or NOTHING
		table.insert(lines, slot .. " " .. entry)
		if lookup("active") == slot and entry ~= NOTHING then
			active = slot
		end
	end
	table.insert(lines, "active " .. active)
	return table.concat(lines, "\n") .. "\n"
end

-- Either the whole of it is there or what was there before.
local function write(text)
	local made, problem = io.open(file .. ".new", "w")
	if made == nil then
		return problem
	end
	made:write(text)
	-- What was written is told here: a full disk, for one.
	local closed, failed = made:close()
	if not closed then
		return failed
	end
	local _, refused = os.rename(file .. ".new", file)
	return refused
end

local function read()
	local opened = io.open(file, "r")
	if opened == nil then
		return ""
	end
	local text = opened:read("*a")
	opened:close()
	return text or ""
end

local found, entries = read(), {}
for key, value in string.gmatch(found, "(%S+) (%S+)\n") do
	entries[key] = value
end
local written = kept(function(key)
	return entries[key]
end)
-- It has to be there, and right, for HAProxy to begin with; what is right is left alone, also where nothing can be written.
if found ~= written then
	local problem = write(written)
	if problem ~= nil then
		error("where requests go cannot be kept: " .. problem)
	end
end
local state = Map.new(file, Map._str)

local function tell(command)
	local socket = core.tcp()
	socket:settimeout(5)
	local answer
	if socket:connect(admin) then
		socket:send(command .. "\n")
		answer = socket:receive("*a")
	end
	socket:close()
	return answer
end

-- Servers are configured without their addresses.
local function place(slot, host, port)
	local server = "set server " .. slot .. "/target "
	local isName = string.match(host, "^[%d.]+$") == nil
	local commands = table.concat({
		server .. "addr " .. (isName and "192.0.2.1" or host) .. " port " .. (port ~= "" and port or "80"),
		isName and server .. "fqdn " .. host or "",
		server .. "state ready",
		server .. "health down",
	}, ";")
	for _ = 1, 50 do
		if tell(commands) ~= nil then
			return
		end
		core.msleep(100)
	end
	core.Alert("keep: " .. slot .. " has no address, since the router's own runtime API does not answer")
end

core.register_task(function()
	for _, slot in ipairs(slots) do
		local _, _, host, port = string.match(state:lookup(slot) or "", ENTRY)
		if host ~= nil then
			place(slot, host, port)
		end
	end
	local told = false
	while true do
		local text = kept(function(key)
			return state:lookup(key)
		end)
		if text ~= written then
			local failed = write(text)
			if failed == nil then
				written, told = text, false
			elseif not told then
				core.Alert("keep: where requests go is not kept: " .. failed)
				told = true
			end
		end
		core.msleep(10)
	end
end)
