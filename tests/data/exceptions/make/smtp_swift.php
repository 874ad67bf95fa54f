<?php
require_once '/usr/share/php/Doctrine/Common/Lexer/autoload.php';
require_once '/usr/share/php/Egulias/EmailValidator/autoload.php';
require_once '/usr/share/php/Swift/swift_required.php';
[, $host, $port, $to, $tls, $auth] = $argv;
$transport = new Swift_SmtpTransport($host, (int) $port, $tls === 'tls' ? 'tls' : null);
$transport->setTimeout(3);
if ($auth === 'login') {
    $transport->setUsername('news')->setPassword('wrong');
}
$mailer = new Swift_Mailer($transport);
$logger = new Swift_Plugins_Loggers_ArrayLogger();
$message = (new Swift_Message('November'))->setFrom('news@sender.example')->setTo(explode(',', $to))->setBody('Good morning');
$failures = [];
try {
    $mailer->send($message, $failures);
    foreach ($failures as $address) {
        echo "failed: $address\n";
    }
} catch (Exception $e) {
    echo get_class($e) . ': ' . $e->getMessage() . "\n";
}
