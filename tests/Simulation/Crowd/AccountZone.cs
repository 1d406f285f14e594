using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;
using Failover.HealthCheck.Dns;

namespace Failover.Simulation.Crowd;

/// <summary>
/// One hosted zone of an account that takes 10 requests a second and 50 at once after a rest; more is throttled. It refuses a batch for the zone while another is under way. What it took shows a few seconds later.
/// </summary>
internal sealed class AccountZone(VirtualTime time, Random random)
{
    private const int Burst = 50;
    private const double PerSecond = 10;

    private readonly Dictionary<string, List<(DateTimeOffset ShownAt, Listing Listing)>> _names = [];
    private readonly Dictionary<(string Observer, string Name), (int Listings, int Batches)> _asked = [];
    private double _tokens = Burst;
    private DateTimeOffset _filledAt = time.GetUtcNow();
    private bool _isChanging;

    /// <summary>How many requests were throttled, or refused for another that was under way.</summary>
    public int Throttled { get; private set; }

    /// <summary>What the provider took of each observer for each name.</summary>
    public IEnumerable<(int Listings, int Batches)> Asked => _asked.Values;

    public void Begin(string name, Listing listing) => _names[name] = [(DateTimeOffset.MinValue, listing)];

    /// <summary>What the provider holds.</summary>
    public Listing Held(string name) => _names[name][^1].Listing;

    /// <summary>What a server answers now.</summary>
    public Listing Shown(string name) => _names[name].Last(version => version.ShownAt <= time.GetUtcNow()).Listing;

    /// <summary>The provider as one observer reaches it.</summary>
    public IDnsProvider For(string observer, Func<bool> isReached) => new Provider(this, observer, isReached);

    private bool TryTake()
    {
        var now = time.GetUtcNow();
        _tokens = Math.Min(Burst, _tokens + ((now - _filledAt).TotalSeconds * PerSecond));
        _filledAt = now;
        if (_tokens < 1)
        {
            Throttled++;
            return false;
        }

        _tokens--;
        return true;
    }

    private sealed class Provider(AccountZone zone, string observer, Func<bool> isReached) : IDnsProvider
    {
        public async Task<Listing> ListAsync(Service service, CancellationToken cancellationToken)
        {
            await LatencyAsync(40, 120, cancellationToken);
            if (!zone.TryTake())
            {
                throw new ProviderBusyException("Throttling", new InvalidOperationException());
            }

            var (listings, batches) = zone._asked.GetValueOrDefault((observer, service.Name));
            zone._asked[(observer, service.Name)] = (listings + 1, batches);
            return zone.Held(service.Name);
        }

        public async Task<ApplyAnswer> ApplyAsync(Service service, Plan plan, Listing listed, CancellationToken cancellationToken)
        {
            await LatencyAsync(20, 60, cancellationToken);
            if (!zone.TryTake())
            {
                return new ApplyAnswer(ApplyOutcome.Busy);
            }

            if (zone._isChanging)
            {
                zone.Throttled++;
                return new ApplyAnswer(ApplyOutcome.Busy);
            }

            var (listings, batches) = zone._asked.GetValueOrDefault((observer, service.Name));
            zone._asked[(observer, service.Name)] = (listings, batches + 1);
            zone._isChanging = true;
            await LatencyAsync(50, 150, cancellationToken);
            zone._isChanging = false;
            if (!zone.Held(service.Name).IsSameAs(listed))
            {
                return new ApplyAnswer(ApplyOutcome.Refused, "not as listed");
            }

            zone._names[service.Name].Add((zone.Now.AddSeconds(2 + (3 * zone.Share())), new Listing(plan.Sets, plan.Txt)));
            return new ApplyAnswer(ApplyOutcome.Applied);
        }

        public async Task<string?> RefusalOfAsync(Service service, Plan present, Plan plan, CancellationToken cancellationToken)
        {
            await LatencyAsync(90, 270, cancellationToken);
            return zone.TryTake() && zone.TryTake() ? null : throw new ProviderBusyException("Throttling", new InvalidOperationException());
        }

        private async Task LatencyAsync(int min, int max, CancellationToken cancellationToken)
        {
            await zone.DelayAsync(min, max, cancellationToken);
            if (!isReached())
            {
                throw new HttpRequestException("the way to the provider is broken");
            }
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();

    private double Share() => random.NextDouble();

    private Task DelayAsync(int min, int max, CancellationToken cancellationToken) => Task.Delay(TimeSpan.FromMilliseconds(random.Next(min, max)), time, cancellationToken);
}
