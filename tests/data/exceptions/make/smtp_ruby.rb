require "net/smtp"
host, port, to, tls, auth = ARGV
smtp = Net::SMTP.new(host, port.to_i)
smtp.open_timeout = 3
smtp.read_timeout = 3
tls == "tls" ? smtp.enable_starttls : smtp.disable_starttls
login = auth == "login" ? ["news", "wrong", :plain] : []
smtp.start("app.sender.example", *login) do |server|
  server.send_message("Subject: November\n\nGood morning\n", "news@sender.example", *to.split(","))
end
