using System.CommandLine;
using System.Globalization;
using System.Text;
using Failover.Benchmarks;
using Failover.Testing;

// Starts each published artefact again and again, drives one real event through it, and tells how long it takes to the first answer,
// beside a loop that does nothing. Milliseconds are this machine's; the ratio travels.
var directory = new Option<string>("--artefacts") { Description = "The folder with one published function each in its folders.", DefaultValueFactory = _ => "artifacts/deploy" };
var runs = new Option<int>("--runs") { Description = "Starts of each.", DefaultValueFactory = _ => 20 };
runs.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 1)
    {
        result.AddError("--runs is at least 1.");
    }
});

var root = new RootCommand("Measures every published artefact from its start to its first answer.") { directory, runs };
root.SetAction(async given =>
{
    var folder = Path.GetFullPath(given.GetValue(directory)!);
    await using var engine = await TestEngine.StartAsync();
    await using var world = await SmallWorld.StartAsync();
    try
    {
        var subjects = await Subject.AllAsync(engine, world);
        var measured = subjects.ToDictionary(subject => subject, _ => new List<Measurement>());

        // In rounds, so that what else the machine does meets all alike.
        for (var round = 0; round <= given.GetValue(runs); round++)
        {
            foreach (var subject in subjects)
            {
                var measurement = await RuntimeApi.RunAsync(new Artefact(subject.Name, Path.Combine(folder, subject.Name)), subject.Event(), subject.Environment);
                if (await subject.MistakeAsync(measurement.Answer) is { } mistake)
                {
                    throw new InvalidOperationException($"{subject.Name} did not do its work: {mistake}; it answered {Encoding.UTF8.GetString(measurement.Answer)} and said:\n{measurement.Said}");
                }

                // The first start reads the program from disk, and warms up this one.
                if (round > 0)
                {
                    measured[subject].Add(measurement);
                }
            }
        }

        var bare = Median(measured[subjects[0]]);
        Console.WriteLine($"{"start to first answer",-22}{"median ms",12}{"least ms",12}{"to init ms",12}{"x bare loop",13}{"peak MiB",11}{"size MB",10}");
        foreach (var (subject, starts) in measured)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{subject.Name,-22}{Median(starts),12:0.0}{starts.Min(start => start.FirstAnswer.TotalMilliseconds),12:0.0}{starts.Select(start => start.FirstAsked.TotalMilliseconds).Order().ElementAt(starts.Count / 2),12:0.0}{Median(starts) / bare,13:0.0}{starts.Max(start => start.PeakMemory) / 1048576.0,11:0.0}{new Artefact(subject.Name, Path.Combine(folder, subject.Name)).Size / 1e6,10:0.0}"));
        }

        return 0;
    }
    catch (InvalidOperationException error)
    {
        await Console.Error.WriteLineAsync(error.Message);
        return 1;
    }
});

var interval = new Option<int>("--interval") { Description = "Seconds between checks, of both.", DefaultValueFactory = _ => 2 };
var kills = new Option<int>("--kills") { Description = "How often the endpoint that serves is killed.", DefaultValueFactory = _ => 20 };
var hang = new Option<bool>("--hang") { Description = "It takes connections and never answers, instead of refusing them." };
var fault = new Option<string>("--fault") { Description = "endpoint-down, or region-down, which waits longer by design.", DefaultValueFactory = _ => "endpoint-down" };
var portBase = new Option<int>("--port-base") { Description = "Of the world that is started.", DefaultValueFactory = _ => 18000 };
var race = new Command("failover", "Measures the time from a kill to the first changed answer in LocalHost, beside gdnsd where it is installed.") { interval, kills, hang, fault, portBase };
race.SetAction((given, token) => FailoverRace.RunAsync(given.GetValue(interval), given.GetValue(kills), given.GetValue(hang), given.GetValue(fault)!, given.GetValue(portBase), token));
root.Subcommands.Add(race);
var decisions = new Command("decisions", "Measures how many decisions a second one core makes, and what they allocate.");
decisions.SetAction(_ => DecisionRate.Run());
root.Subcommands.Add(decisions);
var items = new Option<int>("--items") { Description = "The most items that are compared.", DefaultValueFactory = _ => 10_000_000 };
var compare = new Command("compare", "Measures how fast one core hashes items, what memory it takes, and what crosses regions, beside the naive comparison that loads both tables.") { items };
compare.SetAction(given => CompareRate.Run(given.GetValue(items)));
root.Subcommands.Add(compare);
var audit = new Command("audit", "Measures how fast one core audits stream records, and how many requests and units each takes, beside a GetItem for each.");
audit.SetAction((_, _) => AuditRate.RunAsync());
root.Subcommands.Add(audit);
var emptyPort = new Option<int>("--port") { Description = "Where it listens." };
var empty = new Command("empty-server", "Kestrel with nothing in it, for 'items' to be held against.") { emptyPort };
empty.SetAction((given, token) => ItemRate.RunEmptyServerAsync(given.GetValue(emptyPort), token));
root.Subcommands.Add(empty);
var itemApi = new Command("items", "Measures the item API: warm requests through Lambda's door with the engine's time taken out, what they allocate, and Kestrel with wrk on one core.") { directory };
itemApi.SetAction((given, token) => ItemRate.RunAsync(Path.GetFullPath(given.GetValue(directory)!), token));
root.Subcommands.Add(itemApi);
var costs = new Command("costs", "Computes what a month costs on AWS.");
costs.SetAction(_ => Costs.Print());
root.Subcommands.Add(costs);
return await root.Parse(args).InvokeAsync();

static double Median(List<Measurement> starts) => starts.Select(start => start.FirstAnswer.TotalMilliseconds).Order().ElementAt(starts.Count / 2);
