-- GET by wrk: the paths of a file in turn. wrk … -- FILE-OF-PATHS TENANT
function init(args)
  paths, turn = {}, 0
  for line in io.lines(args[1]) do table.insert(paths, line) end
  headers = { ["X-Tenant-Id"] = args[2] }
end

function request()
  turn = turn % #paths + 1
  return wrk.format("GET", paths[turn], headers)
end
