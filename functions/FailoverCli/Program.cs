using System.CommandLine;
using System.Text.Json;
using Failover.Cli;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.Hosting;
using Command = System.CommandLine.Command;

var service = new Option<string>("--service") { Description = "The name that is guarded, such as app.example.com.", Required = true };
var region = new Option<string?>("--region") { Description = "A control region that answers; AWS_REGION where left out." };
var table = new Option<string>("--control-table") { Description = "The control table.", DefaultValueFactory = _ => "Control" };
var by = new Option<string>("--by") { Description = "Who asks.", DefaultValueFactory = _ => Environment.UserName };
var reason = new Option<string?>("--reason") { Description = "For those who read it later." };
var ifEpoch = new Option<long?>("--if-epoch") { Description = "Refuse unless this is the epoch. Where left out: the present one for what moves, approves, acknowledges or adopts; any for the others." };
var seconds = new Option<int>("--wait") { Description = "Seconds to wait for an answer.", DefaultValueFactory = _ => 60 };

var to = new Argument<string>("endpoint") { Description = "The endpoint, by its name in the topology." };
var force = new Option<bool>("--force") { Description = "Also to an endpoint that no majority sees up." };
var home = new Argument<string?>("endpoint") { Description = "The endpoint that shall serve again; the one of the lowest priority number where left out.", Arity = ArgumentArity.ZeroOrOne };
var minutes = new Option<int?>("--minutes") { Description = "How long; until it is ended where left out (a planned move: 5)." };
var json = new Option<bool>("--json") { Description = "As JSON: register, waiting orders and ballots as they are stored, one a line." };

minutes.Validators.Add(result =>
{
    if (result.Tokens is [var token] && (!int.TryParse(token.Value, out var value) || value < 1))
    {
        result.AddError("--minutes is a whole number of at least 1.");
    }
});

var status = new Command("status", "Shows who serves, what moves, and what every observer sees.") { service, region, table, json };
status.SetAction((given, token) => RunAsync(given, async control =>
{
    var view = await control.ReadAsync(given.GetValue(service)!, token);
    StatusReport.Write(Console.Out, given.GetValue(service)!, view, given.GetValue(json), TimeProvider.System.GetUtcNow());
    return view.Register is null ? 1 : 0;
}));

var root = new RootCommand("Shows and commands the failover of a service; compares, repairs and adopts the tables behind it.")
{
    status,
    Order("move", "Lets another endpoint serve.", CommandKind.Move, to, force),
    Order("back", "Moves back once it is safe: it has long been up, and replication has caught up both ways.", CommandKind.MoveBack, home),
    Order("ack", "Says that a person has seen the last move: clears cool-down and flapping.", CommandKind.Ack),
    Order("pause", "Moves nothing automatically; stops a move under way.", CommandKind.Pause, minutes),
    Order("resume", "Ends a pause.", CommandKind.Resume),
    Order("approve", "Lets the move be made that waits for approval.", CommandKind.Approve),
    Order("plan", "Moves without loss: fences writes where they are taken now, waits until they have arrived, moves.", CommandKind.PlannedMove, to, minutes),
    Order("pin", "Lets an endpoint serve whatever its health.", CommandKind.Pin, to, force, minutes),
    Order("unpin", "Ends a pin.", CommandKind.Unpin),
    Order("drain", "Lets an endpoint not serve, nor be moved to.", CommandKind.Drain, to, minutes),
    Order("undrain", "Ends a drain.", CommandKind.Undrain, to),
    Order("adopt", "Takes what DNS answers now for the truth, at a new epoch, paused. For a frozen name.", CommandKind.Adopt),
    CompareCommands.Make(),
    RepairCommands.MakeRepair(),
    RepairCommands.MakeBackfill(),
    RepairCommands.MakeLosses(),
};
var parsed = root.Parse(args);
var code = await parsed.InvokeAsync();

// 1 is an answer: refused, or different. Whoever did not say what was wanted gets none.
return parsed.Errors.Count > 0 ? 2 : code;

Command Order(string name, string description, CommandKind kind, params Symbol[] symbols)
{
    var command = new Command(name, description) { service, region, table, by, reason, ifEpoch, seconds };
    foreach (var symbol in symbols)
    {
        if (symbol is Argument argument)
        {
            command.Arguments.Add(argument);
        }
        else
        {
            command.Options.Add((Option)symbol);
        }
    }

    command.SetAction((given, token) => RunAsync(given, async control =>
    {
        var view = await control.ReadAsync(given.GetValue(service)!, token);
        var order = new Failover.ControlPlane.Registers.Command
        {
            Id = Guid.NewGuid().ToString(),
            Kind = kind,
            By = given.GetValue(by)!,
            At = TimeProvider.System.GetUtcNow(),
            IfEpoch = given.GetValue(ifEpoch),
            To = symbols.Contains(to) ? given.GetValue(to) : symbols.Contains(home) ? given.GetValue(home) : null,
            Force = symbols.Contains(force) && given.GetValue(force),
            Minutes = symbols.Contains(minutes) ? given.GetValue(minutes) : null,
            Reason = given.GetValue(reason),
        };
        if (order.Mistake() is { } mistake)
        {
            await Console.Error.WriteLineAsync($"Not given: {mistake}.");
            return 2;
        }

        var (obeyed, says) = await Orders.GiveAsync(control, given.GetValue(service)!, order.MeantFor(view), TimeSpan.FromSeconds(given.GetValue(seconds)), TimeProvider.System, token);
        Console.WriteLine(says);
        return obeyed ? 0 : 1;
    }));
    return command;
}

async Task<int> RunAsync(ParseResult given, Func<ControlStore, Task<int>> run)
{
    if ((given.GetValue(region) ?? Environment.GetEnvironmentVariable("AWS_REGION")) is not { Length: > 0 } name)
    {
        await Console.Error.WriteLineAsync("Name a control region: --region, or AWS_REGION.");
        return 2;
    }

    var timeout = TimeSpan.FromSeconds(5);
    using var client = DynamoDbClients.Create(name, timeout);
    try
    {
        return await run(new ControlStore(client, given.GetValue(table)!, timeout));
    }
    catch (Exception error) when (error is Amazon.Runtime.AmazonClientException or Amazon.Runtime.AmazonServiceException or OperationCanceledException or HttpRequestException or IOException or JsonException)
    {
        await Console.Error.WriteLineAsync($"The control table '{given.GetValue(table)}' in {name} cannot be reached: {error.Message}\nTry another control region.");
        return 3;
    }
}
