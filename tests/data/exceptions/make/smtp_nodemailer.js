const nodemailer = require("nodemailer");
const [host, port, to, tls, auth] = process.argv.slice(2);
const transport = nodemailer.createTransport({
  host, port: Number(port), connectionTimeout: 3000, greetingTimeout: 3000, requireTLS: tls === "tls",
  auth: auth === "login" ? { user: "news", pass: "wrong" } : undefined,
});
transport.sendMail({ from: "news@sender.example", to, subject: "November", text: "Good morning" })
  .then((info) => console.log(info))
  .catch((error) => { console.error(error); });
