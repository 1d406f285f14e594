using System.CommandLine;
using System.Globalization;
using Failover.ControlPlane.Topologies;
using Failover.LocalHost;
using Failover.LocalHost.Check;
using Failover.LocalHost.Processes;
using Failover.LocalHost.Rollouts;

if (args is [Undertaker.Argument])
{
    Undertaker.Run();
    return 0;
}

Interrupts.Heed();
var portBase = new Option<int>("--port-base") { Description = "Shifts all ports together.", DefaultValueFactory = _ => Ports.DefaultBase };
var interval = new Option<int?>("--interval") { Description = "Seconds of a tick's slot: 10, or 2 with --check." };
var lag = new Option<int>("--lag") { Description = "Milliseconds by which replication is late.", DefaultValueFactory = _ => 0 };
var stable = new Option<double?>("--stable-minutes") { Description = "How long an endpoint must have been up before a move back: 1, or 0.3 with --check." };
var engine = new Option<string?>("--engine") { Description = "The command that starts another DynamoDB engine, with {port} in it." };
var lever = new Option<Lever>("--lever") { Description = "How the first service is moved: records, or switch.", DefaultValueFactory = _ => Lever.Records };
var metricPeriod = new Option<int>("--metric-period") { Description = "Seconds of a metric's period, for --lever switch.", DefaultValueFactory = _ => 60 };
var writeMode = new Option<string>("--write-mode") { Description = "Which regions take writes: ActiveActive, or ActivePassive.", DefaultValueFactory = _ => "ActiveActive" };
writeMode.AcceptOnlyFromAmong("ActiveActive", "ActivePassive");
var services = new Option<int>("--services") { Description = "How many services are guarded: 1; 2 adds another on Route 53; 3 adds one on DigitalOcean.", DefaultValueFactory = _ => 1 };
var check = new Option<bool>("--check") { Description = "Runs the built-in rehearsal, prints its timeline as JSON, and exits with 0 or 1." };
portBase.Validators.Add(result => Range(result, portBase.Name, 1024, 65000));
interval.Validators.Add(result => Range(result, interval.Name, RolloutRequest.IntervalSecondsMin, RolloutRequest.IntervalSecondsMax));
lag.Validators.Add(result => Range(result, lag.Name, 0, 3_600_000));

metricPeriod.Validators.Add(result => Range(result, metricPeriod.Name, 1, 3600));
services.Validators.Add(result => Range(result, services.Name, 1, 3));
stable.Validators.Add(result => Range(result, stable.Name, 0, 1440));

var root = new RootCommand("Runs the whole world on one machine: regions, functions, replication, DNS, and what breaks them.") { portBase, interval, lag, stable, engine, lever, metricPeriod, writeMode, services, check };
root.SetAction(async (given, cancellationToken) =>
{
    var checking = given.GetValue(check);
    var options = new WorldOptions(
        new Ports(given.GetValue(portBase)),
        TimeSpan.FromSeconds(given.GetValue(interval) ?? (checking ? 2 : 10)),
        TimeSpan.FromMilliseconds(given.GetValue(lag)),
        given.GetValue(stable) ?? (checking ? 0.3 : 1),
        given.GetValue(engine),
        given.GetValue(lever),
        TimeSpan.FromSeconds(given.GetValue(metricPeriod)),
        given.GetValue(writeMode)!,
        given.GetValue(services));
    try
    {
        await using var world = await World.StartAsync(options, cancellationToken);
        if (checking)
        {
            return await new Rehearsal(world, TimeProvider.System).RunAsync(Console.Out, cancellationToken) ? 0 : 1;
        }

        Banner.Print(world, Console.Out);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        return 0;
    }
    catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
    {
        return 0;
    }
    catch (InvalidOperationException error)
    {
        await Console.Error.WriteLineAsync(error.Message);
        return 1;
    }
});
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(10) });

static void Range(System.CommandLine.Parsing.OptionResult result, string name, int min, int max)
{
    if (result.Tokens is [var token] && (!double.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) || !(value >= min && value <= max)))
    {
        result.AddError($"{name} is {min} to {max}, not '{token.Value}'.");
    }
}
