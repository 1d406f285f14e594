using Failover.LocalHost.Route53;

namespace Failover.LocalHost.Tests;

/// <summary>Route 53's semantics: whole batches or nothing, exact DELETE, no CREATE over what exists.</summary>
public class HostedZoneTests
{
    private static readonly ZoneRecordSet A = new("app.example.test.", "A", 60, ["192.0.2.1", "192.0.2.2"]);

    [Fact]
    public void Delete_takes_the_same_values_in_any_order() =>
        Assert.Empty(Zone().Apply([new ZoneChange("DELETE", A with { Values = ["192.0.2.2", "192.0.2.1"] })]));

    [Theory]
    [InlineData(61, "192.0.2.1,192.0.2.2")]
    [InlineData(60, "192.0.2.1")]
    [InlineData(60, "192.0.2.1,192.0.2.2,192.0.2.3")]
    public void Delete_of_anything_else_is_refused(int ttl, string values) =>
        Assert.Contains("do not match", Assert.Single(Zone().Apply([new ZoneChange("DELETE", A with { TtlSeconds = ttl, Values = [.. values.Split(',')] })])), StringComparison.Ordinal);

    [Fact]
    public void Create_of_what_exists_is_refused_even_with_the_same_values() =>
        Assert.Contains("already exists", Assert.Single(Zone().Apply([new ZoneChange("CREATE", A)])), StringComparison.Ordinal);

    [Fact]
    public void A_batch_with_one_mistake_changes_nothing()
    {
        var zone = Zone();
        var before = zone.Sets;
        var mistakes = zone.Apply([new ZoneChange("DELETE", A), new ZoneChange("CREATE", A with { Values = ["192.0.2.9"] }), new ZoneChange("DELETE", A with { Name = "no.example.test." })]);

        Assert.Single(mistakes);
        Assert.Equal(before, zone.Sets);
    }

    [Fact]
    public void Delete_and_create_of_one_name_in_a_batch_replace_it()
    {
        var zone = Zone();

        Assert.Empty(zone.Apply([new ZoneChange("DELETE", A), new ZoneChange("CREATE", A with { Values = ["192.0.2.9"] })]));
        Assert.Equal("192.0.2.9", Assert.Single(zone.Find(A.Name, "A")!.Values));
    }

    [Fact]
    public void Of_many_writers_with_the_same_old_state_one_wins()
    {
        var zone = Zone();
        var won = 0;
        Parallel.For(0, 50, i =>
        {
            if (zone.Apply([new ZoneChange("DELETE", A), new ZoneChange("CREATE", A with { Values = [$"192.0.2.{i + 100}"] })]).Count == 0)
            {
                Interlocked.Increment(ref won);
            }
        });

        Assert.Equal(1, won);
    }

    [Theory]
    [InlineData("app.other.test.", "A", "192.0.2.1")]
    [InlineData("x.example.test.", "A", "not-an-address")]
    [InlineData("x.example.test.", "TXT", "unquoted")]
    [InlineData("app.example.test.", "CNAME", "x.test.")]
    public void What_Route_53_would_refuse_is_refused(string name, string type, string value) =>
        Assert.NotEmpty(Zone().Apply([new ZoneChange("CREATE", new ZoneRecordSet(name, type, 60, [value]))]));

    [Fact]
    public void Sets_are_listed_by_reversed_labels() =>
        Assert.Equal(["example.test.", "example.test.", "a.example.test.", "x.a.example.test.", "app.example.test."], ZoneWith("x.a.example.test.", "a.example.test.").Sets.Select(set => set.Name));

    [Theory]
    [InlineData("*.example.test", "\\052.example.test.")]
    [InlineData("\\052.Example.test.", "\\052.example.test.")]
    [InlineData("_failover.app.example.test", "_failover.app.example.test.")]
    [InlineData("a b.example.test", "a\\040b.example.test.")]
    public void Names_are_kept_as_Route_53_keeps_them(string name, string expected) => Assert.Equal(expected, ZoneName.Normal(name));

    [Theory]
    [InlineData("app.example.test.", "b.example.test.")]
    [InlineData("app.example.test.", "x.app.example.test.")]
    [InlineData("app-x.example.test.", "app.example.test.")]
    [InlineData("app-x.example.test.", "x.app.example.test.")]
    public void Names_are_in_the_order_of_their_reversed_labels_with_the_last_dot(string first, string second)
    {
        Assert.True(ZoneName.Compare(first, second) < 0);
        Assert.True(ZoneName.Compare(second, first) > 0);
    }

    private static HostedZone ZoneWith(params string[] names)
    {
        var zone = Zone();
        Assert.Empty(zone.Apply([.. names.Select(name => new ZoneChange("CREATE", A with { Name = name }))]));
        return zone;
    }

    private static HostedZone Zone()
    {
        var zone = new HostedZone("Z1", "example.test.");
        Assert.Empty(zone.Apply([new ZoneChange("CREATE", A)]));
        return zone;
    }
}
