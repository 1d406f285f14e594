using System.Globalization;

namespace Failover.Benchmarks;

/// <summary>
/// What a month costs, computed: quantities as counted on LocalHost's wire (2 serving regions, one service, ticks of 10 s), times list prices of us-east-1 in US dollars.
/// No free tier, no data transfer out, no storage of items. Prices change: look at them before you sign.
/// </summary>
internal static class Costs
{
    private const double Month = 30 * 24 * 3600.0;
    private const double Slots = Month / 10;
    private const int Observers = 3;

    private sealed record Line(string What, Func<int, double> Quantity, double Price);

    private static readonly Line[] Idle =
    [
        new("Heartbeats into every replica, each replicated to all (1 write unit)", regions => Observers * Slots * regions * regions, 0.625e-6),
        new("Ballots in Control, in three regions (1.3 KB: 2 units)", _ => Observers * Slots * 2 * 3, 0.625e-6),
        new("Journals: a decision each slot and observer (4.4 KB: 5 units)", _ => Observers * Slots * 5, 0.625e-6),
        new("Journals: the audit's marks (0.3 a second and region, 1 unit)", regions => regions * Month * 0.3, 0.625e-6),
        new("Reads of heartbeats, register, ballots and journals (11.1 units a second for two regions)", regions => Month * 11.1 * regions * regions / 4, 0.125e-6),
        new("HealthCheck: invocations (2.1 a slot)", _ => Observers * Slots * 2.1, 0.20e-6),
        new("HealthCheck: GB-s (512 MB; a look takes 1 s, an assumption)", _ => Observers * Slots * 0.5, 0.0000133334),
        new("Probes of the API, each endpoint and through the name: HTTP API requests", regions => Observers * Slots * (regions + 1), 1.00e-6),
        new("Probes of the API: ItemApi's invocations", regions => Observers * Slots * (regions + 1), 0.20e-6),
        new("Probes of the API: GB-s (512 MB; 20 ms, an assumption)", regions => Observers * Slots * (regions + 1) * 0.5 * 0.02, 0.0000133334),
        new("ReplicationAudit: invocations (0.3 a second and region)", regions => regions * Month * 0.3, 0.20e-6),
        new("ReplicationAudit: GB-s (512 MB; 50 ms, an assumption)", regions => regions * Month * 0.3 * 0.5 * 0.05, 0.0000133334),
        new("SQS: Lambda's polling (15 a minute and queue, an assumption) and the ticks", regions => ((Observers + regions) * Month / 4) + (Observers * Slots * 2.1 * 2), 0.40e-6),
        new("Custom metrics: 7 and one an endpoint for each observer; in a serving region 3, 4 for each other region, 18 of the API's routes", regions => (Observers * (7 + regions)) + (regions * (3 + (4 * (regions - 1)) + 18)), 0.30),
        new("Alarms: 24 in a serving region, 11 in one that only observes", regions => (24 * regions) + (11 * (Observers - regions)), 0.10),
        new("Logs: GB taken in (1.5 KB a look, 0.7 KB a probe, 0.5 KB a batch)", regions => ((Observers * Slots * (1.5 + (0.7 * (regions + 1)))) + (regions * Month * 0.3 * 0.5)) / 1e6, 0.50),
        new("DNS: each look asks four of the zone's servers for A, AAAA and TXT (aliases of an API's name are free: counted all the same)", _ => Observers * Slots * 4 * 3, 0.40e-6),
        new("A dashboard in each region", _ => Observers, 3.00),
        new("The hosted zone", _ => 1, 0.50),
    ];

    public static void Print()
    {
        Console.WriteLine("| a month, US dollars | 2 regions | 3 regions |\n|---|---:|---:|");
        foreach (var line in Idle)
        {
            Row(line.What, regions => line.Quantity(regions) * line.Price);
        }

        Row("**All of it, without a request of yours**", regions => Idle.Sum(line => line.Quantity(regions) * line.Price));
        Row("A million reads: HTTP API, ItemApi for 10 ms, half a read unit each", _ => 1e6 * Request);
        // The item is read before it is written; its stream record is read by Lambda for nothing; the audit asks every other replica once.
        Row("A million writes of 1 KB: the same, a unit in every replica, and the audit's question to every other", regions => 1e6 * (Request + (regions * 0.625e-6) + ((regions - 1) * 0.5 * 0.125e-6)));
        Row("`Traces=Active`: X-Ray's price for nearly every invocation above", regions => (Slots * ((Observers * 2.1) + (Observers * (regions + 1))) + (regions * Month * 0.3)) * 5e-6);
        Row("Endpoints on Droplets: in each region two of 1 GB (6 each) and a load balancer (12)", regions => regions * 24);
        Row("`Lever=Switch`: four health checks", _ => 4 * 0.50);
    }

    private const double Request = 1.00e-6 + 0.20e-6 + (0.5 * 0.01 * 0.0000133334) + (0.5 * 0.125e-6);

    private static void Row(string what, Func<int, double> cost) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {cost(2):0.00} | {cost(3):0.00} |"));
}
