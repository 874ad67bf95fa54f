<?php
foreach (['Symfony/Component/Mailer', 'Symfony/Component/Mime', 'Symfony/Component/EventDispatcher'] as $part) {
    require_once "/usr/share/php/$part/autoload.php";
}
[, $host, $port, $to, $tls, $auth] = $argv;
ini_set('default_socket_timeout', '3');
$transport = new Symfony\Component\Mailer\Transport\Smtp\EsmtpTransport($host, (int) $port, false);
if ($auth === 'login') {
    $transport->setUsername('news')->setPassword('wrong');
}
$email = (new Symfony\Component\Mime\Email())->from('news@sender.example')->to(...explode(',', $to))->subject('November')->text('Good morning');
(new Symfony\Component\Mailer\Mailer($transport))->send($email);
