use strict;
use warnings;
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::SMTP;
use Email::Simple;
my ($host, $port, $to, $tls, $auth) = @ARGV;
my $transport = Email::Sender::Transport::SMTP->new({
    host => $host, port => $port, timeout => 3, ($tls eq 'tls' ? (ssl => 'starttls') : ()),
    ($auth eq 'login' ? (sasl_username => 'news', sasl_password => 'wrong') : ()),
});
my $email = Email::Simple->create(header => [From => 'news@sender.example', To => $to, Subject => 'November'], body => "Good morning\n");
sendmail($email, { transport => $transport, to => [split /,/, $to], from => 'news@sender.example' });
