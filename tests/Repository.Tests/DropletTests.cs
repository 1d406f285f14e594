using System.Text.RegularExpressions;
using Failover.HealthCheck;
using Failover.Hosting;
using Failover.ItemApi;
using Failover.ItemApi.Answers;

namespace Failover.Repository.Tests;

/// <summary>What the playbook gives the service. That it does what it should, .ci/droplets.py shows.</summary>
public partial class DropletTests
{
    private const string Folder = "functions/ItemApi/Droplet/";

    /// <summary>Settings that have a default, and no line of their own; extra_environment can give them.</summary>
    private static readonly string[] Defaulted =
    [
        "AUTHORIZATION", "CALL_TIMEOUT_MS", "REQUEST_TIMEOUT_MS", "CLOCK_AHEAD_MAX_MS", "WRITE_LEASE_SECONDS", "LEASE_PREFERENCE", "JWKS_URL", "READ_SCOPE", "WRITE_SCOPE",
    ];

    /// <summary>LISTEN is the unit's, as is the file with the key, which the SDK reads.</summary>
    private static readonly string[] OfTheUnit = ["LISTEN", "AWS_SHARED_CREDENTIALS_FILE"];

    [Fact]
    public void The_service_is_given_what_it_reads()
    {
        var given = SettingName().Matches(Repo.Read(Folder + "templates/environment.j2")).Select(match => match.Groups[1].Value).ToList();
        var unit = Repo.Read(Folder + "files/item-api@.service");
        var read = new List<string>();
        ItemApiOptions.Read(
            new Settings(name =>
            {
                read.Add(name);
                return name switch
                {
                    "LISTEN" => "unix:/run/item-api-blue/http.sock",
                    "REPLICA_REGIONS" or "OBSERVER_REGIONS" => "us-east-1,us-west-2",
                    "WRITE_MODE" => "ActiveActive",
                    "JWT_ISSUER" => "https://issuer.example.com/",
                    "CONTROL_REGION" or "AWS_REGION" => "us-east-1",
                    _ => given.Contains(name) ? "given" : null,
                };
            }),
            isLambda: false);

        Assert.Empty(given.Except(read));
        Assert.Equal(Defaulted.Append("LISTEN").Order(), read.Distinct().Except(given).Order());
        Assert.All(OfTheUnit, name => Assert.Contains($"Environment={name}=", unit, StringComparison.Ordinal));
    }

    [Fact]
    public void What_nginx_answers_by_itself_are_problems_of_the_API()
    {
        var nginx = Repo.Read(Folder + "templates/nginx.conf.j2");
        var answers = ProblemOfNginx().Matches(nginx);

        Assert.Equal(3, answers.Count);
        Assert.All(answers, answer => Assert.Contains(
            ProblemKind.All, kind => kind.Slug == answer.Groups["slug"].Value && $"{kind.Status}" == answer.Groups["status"].Value && kind.Title == answer.Groups["title"].Value && answer.Groups["again"].Value == answer.Groups["status"].Value));
    }

    /// <summary>By default nginx sends a PUT again when the connection is lost under it, though nobody knows whether it was done.</summary>
    [Fact]
    public void Nginx_passes_a_request_on_once() => Assert.Contains("\n    proxy_next_upstream off;\n", Repo.Read(Folder + "templates/nginx.conf.j2"), StringComparison.Ordinal);

    [Fact]
    public void Regions_differ_by_the_inventory_alone()
    {
        var inventories = Repo.Files(Folder + "inventory", ".yml").Select(file => InventoryName().Matches(Repo.Read(file)).Select(match => match.Groups[1].Value).ToList()).ToList();

        Assert.True(inventories.Count >= 2);
        Assert.All(inventories, names => Assert.Equal(inventories[0], names));
        foreach (var file in Repo.Files(Folder, ".yml", ".j2", ".service").Where(file => !file.StartsWith(Folder + "inventory/", StringComparison.Ordinal)))
        {
            Assert.All(Repo.Read(file).Split('\n').Where(line => !line.TrimStart().StartsWith('#')), line => Assert.DoesNotMatch(@"\b(nyc3|sfo3)\b", line));
        }
    }

    [Fact]
    public void The_example_of_a_topology_at_DigitalOcean_is_one() =>
        Assert.NotNull(HealthCheckOptions.Read(new Settings(name => name switch
        {
            "TOPOLOGY_FILE" => Path.Combine(Repo.Root, "functions/HealthCheck/topology.digitalocean.example.json"),
            "AWS_REGION" => "us-east-1",
            "DIGITALOCEAN_TOKEN_PARAMETER" => "/failover/digitalocean",
            "ITEMS_TABLE" or "CONTROL_TABLE" or "JOURNAL_TABLE" or "TICK_QUEUE_URL" => name,
            _ => null,
        })));

    [GeneratedRegex("^([A-Z_]+)=", RegexOptions.Multiline)]
    private static partial Regex SettingName();

    [GeneratedRegex("""return (?<status>\d+) '\{"type":"urn:failover:problem:(?<slug>[a-z-]+)","title":"(?<title>[^"]+)","status":(?<again>\d+),""")]
    private static partial Regex ProblemOfNginx();

    [GeneratedRegex(@"^    ([a-z_]+):", RegexOptions.Multiline)]
    private static partial Regex InventoryName();
}
