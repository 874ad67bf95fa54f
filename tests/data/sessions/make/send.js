const nodemailer = require('nodemailer');
const mode = process.argv[2] || '';
const bunyan = {};
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
  bunyan[level] = (data, message, ...rest) => console.log(JSON.stringify({name: 'mail', pid: 7, level: {debug: 20, info: 30, error: 50}[level], ...data, msg: require('util').format(message, ...rest), time: new Date().toISOString(), v: 0}));
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port: Number(process.env.SMTP_PORT), secure: false, ignoreTLS: true, name: 'client.sender.example', debug: true,
  logger: mode === 'json' ? bunyan : true, auth: mode === 'auth' ? {user: 'ben', pass: 'secret word'} : undefined,
});
transport.sendMail({from: 'ben@sender.example', to: 'carl@example.org', subject: 'Minutes', text: 'Hello'}).catch(error => console.log(error.message));
