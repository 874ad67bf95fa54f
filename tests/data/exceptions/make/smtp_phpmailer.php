<?php
require '/usr/share/php/libphp-phpmailer/autoload.php';
[, $host, $port, $to, $tls, $auth] = $argv;
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = $host;
$mail->Port = (int) $port;
$mail->Timeout = 3;
$mail->SMTPAutoTLS = false;
$mail->SMTPSecure = $tls === 'tls' ? 'tls' : '';
if ($auth === 'login') {
    $mail->SMTPAuth = true;
    $mail->Username = 'news';
    $mail->Password = 'wrong';
}
$mail->setFrom('news@sender.example');
foreach (explode(',', $to) as $address) {
    $mail->addAddress($address);
}
$mail->Subject = 'November';
$mail->Body = 'Good morning';
try {
    $mail->send();
} catch (PHPMailer\PHPMailer\Exception $e) {
    echo "Message could not be sent. Mailer Error: {$mail->ErrorInfo}\n";
}
