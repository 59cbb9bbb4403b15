#!/usr/bin/perl
# A redirect server in a few lines: what is registered with it is where it redirects to.  redirect.pl HOST:PORT
use strict;
use warnings;
use Net::SIP;

my ($address) = @ARGV;
$| = 1;
my $ua        = Net::SIP::Simple->new( leg => $address );
my $registrar = $ua->create_registrar;
my $redirect  = Net::SIP::Redirect->new( dispatcher => $ua->{dispatcher}, registrar => $registrar );

# In this order: the registrar puts its binding into the Request-URI of all that it leaves to the next in the chain,
# which would then look up the binding instead of who was called.
$ua->create_chain( [ $redirect, $registrar ] );

print "READY\n";
$ua->loop;
