using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Decision;

/// <summary>The ballots that count for one decision, and how many of them are a majority.</summary>
/// <remarks>
/// A ballot counts while it is valid, if its observer belongs to the set and it was made by the decider's own rules and topology.
/// Two versions cannot both have a majority of one set, so one observer that cannot be redeployed blocks nothing.
/// </remarks>
/// <param name="Counted">One an observer at most.</param>
/// <param name="Observers">How many observers the set has.</param>
/// <param name="OfOtherVersions">How many valid ballots of the set were made by other rules, or with another topology.</param>
public sealed record Votes(IReadOnlyList<Ballot> Counted, int Observers, int OfOtherVersions)
{
    /// <summary>How far the clocks of two observers that may vote can lie apart. A ballot from further ahead was made by a wrong one.</summary>
    private static readonly TimeSpan ClocksMax = 2 * Voting.SkewMax + TimeSpan.FromSeconds(1);

    /// <summary>How many are a majority.</summary>
    public int Majority => (Observers / 2) + 1;

    /// <summary>Whether enough ballots count for a decision.</summary>
    public bool IsQuorum => Counted.Count >= Majority;

    /// <summary>The ballots of the register's observers that count now.</summary>
    public static Votes Of(Topology topology, Register register, IReadOnlyList<Ballot> ballots, DateTimeOffset now) => Of(topology, register.Observers, ballots, now);

    /// <summary>The ballots of a set of observers that count now.</summary>
    public static Votes Of(Topology topology, IReadOnlyList<string> observers, IReadOnlyList<Ballot> ballots, DateTimeOffset now)
    {
        var counted = new List<Ballot>(ballots.Count);
        var others = 0;
        var digest = topology.Digest;
        for (var i = 0; i < ballots.Count; i++)
        {
            var ballot = ballots[i];
            if (now > ballot.ValidUntil || ballot.Start > now + ClocksMax || !observers.Contains(ballot.Observer))
            {
                continue;
            }

            if (ballot.RuleVersion == Ballot.RuleVersionNow && ballot.Topology == digest)
            {
                counted.Add(ballot);
            }
            else
            {
                others++;
            }
        }

        return new Votes(counted, observers.Count, others);
    }

    /// <summary>How many see an endpoint up, its latest probe included.</summary>
    /// <param name="cleanFor">For how long at least, without one failed tick.</param>
    public int CountUp(Service service, string endpoint, TimeSpan cleanFor = default)
    {
        var count = 0;
        foreach (var ballot in Counted)
        {
            var view = ballot.On(service.Name, endpoint);
            count += view.IsUp && (cleanFor == default || ballot.Start - view.CleanSince >= cleanFor) ? 1 : 0;
        }

        return count;
    }

    /// <summary>How many hold an endpoint up, whatever its latest probe saw.</summary>
    public int CountHealthy(Service service, string endpoint) => Count(service, endpoint, static view => view.Health == Health.Up);

    /// <summary>How many hold an endpoint down, whatever its latest probe saw.</summary>
    public int CountDown(Service service, string endpoint) => Count(service, endpoint, static view => view.Health == Health.Down);

    /// <summary>How many see an endpoint down, its latest probe included.</summary>
    public int CountFailing(Service service, string endpoint) => Count(service, endpoint, static view => view.IsFailing);

    /// <summary>How many have just had an answer from an endpoint.</summary>
    public int CountAnswered(Service service, string endpoint) => Count(service, endpoint, static view => view.LastOk);

    private int Count(Service service, string endpoint, Func<EndpointBallot, bool> so)
    {
        var count = 0;
        foreach (var ballot in Counted)
        {
            count += so(ballot.On(service.Name, endpoint)) ? 1 : 0;
        }

        return count;
    }
}
