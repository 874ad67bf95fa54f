<?php
require '/usr/share/php/libphp-phpmailer/autoload.php';
use PHPMailer\PHPMailer\PHPMailer;
$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->SMTPDebug = 2;
$mail->Debugoutput = 'echo';
$mail->Host = '127.0.0.1';
$mail->Port = (int) getenv('SMTP_PORT');
$mail->Hostname = 'client.sender.example';
if (($argv[1] ?? '') === 'auth') {
    $mail->SMTPAuth = true;
    $mail->Username = 'ben';
    $mail->Password = 'secret word';
}
$mail->setFrom('ben@sender.example');
$mail->addAddress('carl@example.org');
$mail->Subject = 'Minutes';
$mail->Body = "Hello";
try { $mail->send(); } catch (Exception $e) { echo 'Message could not be sent. Mailer Error: ' . $mail->ErrorInfo . "\n"; }
