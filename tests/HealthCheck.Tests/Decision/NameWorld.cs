using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Tests.Decision;

/// <summary>One name with its register, its zone and its servers, and ticks that carry the mover's steps out at once.</summary>
internal sealed class NameWorld(Service given, params Listing?[] servers)
{
    private readonly Service _service = given with { AuthoritativeServers = [.. servers.Select((_, i) => $"s{i}")] };

    public Register Register { get; set; } = World.Register();

    /// <summary>What the provider's API lists.</summary>
    public Listing Zone { get; set; } = new(World.Register().Plan.Sets, World.Register().Plan.Txt);

    /// <summary>What each server answers; null: nothing.</summary>
    public Listing?[] Servers { get; } = servers;

    public DateTimeOffset Now { get; private set; } = World.Now;

    public Topology Topology { get; set; } = World.Topology;

    public string Self { get; set; } = "o1";

    /// <summary>What the provider answers to a batch; null: it is applied.</summary>
    public StepResult.Applied? Answers { get; set; }

    public bool HttpOk { get; set; } = true;

    public Service Service => _service;

    /// <summary>The mover as the last tick left it, and what that tick saw.</summary>
    public Mover? Mover { get; private set; }

    public Look? Look { get; private set; }

    public int Listings { get; private set; }

    public int Batches { get; private set; }

    public List<string> Log { get; } = [];

    /// <summary>One tick of one observer, some seconds after the one before.</summary>
    /// <param name="says">What all observers say.</param>
    public Step.Finish Tick(string says, int afterSeconds = 10, Command? command = null, IReadOnlyList<Command>? orders = null, IReadOnlyList<ControlPlane.Ballots.Ballot>? ballots = null)
    {
        Now = Now.AddSeconds(afterSeconds);
        var newest = Array.FindIndex(Servers, answer => answer is not null && answer.IsSameAs(Zone));
        var look = new Look(Servers, HttpOk, "404, not 200", newest >= 0 ? newest : Array.FindIndex(Servers, answer => answer is not null));
        ControlView View() => new(Register, orders ?? (command is null ? [] : [command]), ballots ?? [.. World.Topology.Observers.Select(observer => World.Ballot(observer, says).MadeAt(Now))]);
        var (mover, step) = Mover.Start(Topology, _service, Self, look, View(), Now);
        while (step is not Step.Finish)
        {
            (mover, step) = mover.Next(Take(step, View), Now);
        }

        (Mover, Look) = (mover, look);
        Log.AddRange(mover.Log);
        return (Step.Finish)step;
    }

    private StepResult Take(Step step, Func<ControlView> view)
    {
        switch (step)
        {
            case Step.ReadControl:
                return new StepResult.Control(view());
            case Step.AwaitTurn:
                return new StepResult.Turn();
            case Step.ListRecords:
                Listings++;
                return new StepResult.Listed(Zone);
            case Step.WriteRegister(var next, var expected, _):
                Assert.Equal(Register.Rev, expected);
                Assert.Equal(Register.Rev + 1, next.Rev);
                Register = next;
                return new StepResult.Register(ConditionalWrite.Written);
            case Step.Apply(var plan, var listed):
                Batches++;
                if (Answers is { } answer)
                {
                    return answer;
                }

                Assert.True(listed.IsSameAs(Zone));
                Zone = new Listing(plan.Sets, plan.Txt);
                return new StepResult.Applied(ApplyOutcome.Applied);
            default:
                throw new InvalidOperationException(step.ToString());
        }
    }
}
