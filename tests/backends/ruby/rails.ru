# Rails with routes and files, on puma. Formats are off: /admin.json would be /admin.
require "logger"
require "action_controller/railtie"

class App < Rails::Application
  config.root = __dir__
  config.eager_load = false
  config.consider_all_requests_local = false
  config.hosts.clear
  config.secret_key_base = "none of it is secret"
  config.logger = Logger.new(nil)
  config.public_file_server.enabled = false
end

class PlacesController < ActionController::Base
  def show
    render plain: "marker<#{params[:place]}>"
  end
end

App.initialize!
App.routes.draw do
  scope(format: false) do
    { "/admin" => "admin", "/admin/x" => "admin-x", "/files/secret" => "secret", "/files/public/*rest" => "public",
      "/report.pdf" => "report", "/büro" => "buero", "/admin/:name" => "admin-below" }.each do |route, place|
      get route, to: "places#show", defaults: { place: place }
    end
  end
end

run App
