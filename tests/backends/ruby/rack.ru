# Rack with a map of places and its own server of files.
app = Rack::Builder.app do
  place = ->(name) { ->(_env) { [200, { "content-type" => "text/plain" }, ["marker<#{name}>"]] } }
  exact = lambda do |name, below|
    ->(env) { (env["PATH_INFO"].empty? || env["PATH_INFO"] == "/" ? place[name] : below).call(env) }
  end
  nothing = ->(_env) { [404, { "content-type" => "text/plain" }, ["nothing"]] }
  map("/admin/x") { run exact["admin-x", place["admin-below"]] }
  map("/admin") { run exact["admin", place["admin-below"]] }
  map("/report.pdf") { run exact["report", nothing] }
  map("/") { run Rack::Files.new(ENV.fetch("FILES")) }
end

run app
